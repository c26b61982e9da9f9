import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { PassThrough, Readable, Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { listen } from '../../platform/http/index.ts'
import { systemClock } from '../../platform/time/index.ts'
import { type Command, execute } from './index.ts'
import { type PlayedStreams, playStreams } from './testing/played-streams.ts'

const signal = new AbortController().signal
const EXEC = '/exec/default/web/main'

test('a command gets its words and its input, and its output, errors and exit code come back', async (t) => {
  const command = await played(t, {
    command: async ({ path, query, stdin, stdout, stderr }) => {
      const words = query.getAll('command')
      stdout?.write(`${path} ${words.join('|')} `)
      for await (const chunk of stdin ?? []) stdout?.write(String(chunk).toUpperCase())
      stderr?.write('warned')
      return 3
    },
  })
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const code = await execute(
    { ...command, command: ['sh', '-c', 'a & b'], stdin: Readable.from(['he', 'llo']), stdout, stderr },
    signal,
  )
  assert.equal(code, 3)
  assert.equal(await text(stdout.end()), `${EXEC} sh|-c|a & b HELLO`)
  assert.equal(await text(stderr.end()), 'warned')
})

test('a terminal has one output, and the other side hears its sizes', async (t) => {
  const command = await played(t, {
    command: async ({ stdout, stderr, resize }) => {
      const sizes = resize ? await text(resize) : ''
      stdout?.write(`${stderr === undefined} ${sizes}`)
      return 0
    },
  })
  const stdout = new PassThrough()
  async function* resize() {
    yield { width: 80, height: 24 }
    yield { width: 100, height: 30 }
  }
  const code = await execute(
    { ...command, command: ['top'], tty: true, stdout, stderr: new PassThrough(), resize: resize() },
    signal,
  )
  assert.equal(code, 0)
  assert.equal(await text(stdout.end()), 'true {"Width":80,"Height":24}\n{"Width":100,"Height":30}\n')
})

test('a command is over when its output is written, and not when it waits to be', async (t) => {
  const command = await played(t, {
    command: async ({ stdout }) => {
      for (const piece of ['a', 'b', 'c']) {
        stdout?.write(piece)
        await new Promise((resolve) => setImmediate(resolve))
      }
      return 0
    },
  })
  let got = ''
  const waiting: (() => void)[] = []
  const stdout = new Writable({
    write(piece, _encoding, done) {
      got += piece
      waiting.push(done)
    },
  })
  let isOver = false
  const over = execute({ ...command, command: ['true'], stdout }, signal).then(() => {
    isOver = true
  })
  while (got !== 'abc') {
    waiting.shift()?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
  // The last one is taken and not yet written.
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
  assert.equal(isOver, false)
  waiting.shift()?.()
  await over
})

test('24 megabytes go both ways to one who reads slowly, and no more is under way than buffers hold', async (t) => {
  let sent = 0
  const command = await played(t, {
    command: async ({ stdin, stdout }) => {
      for await (const chunk of stdin ?? []) {
        sent += chunk.length
        if (!stdout?.write(chunk)) await new Promise((resolve) => stdout?.once('drain', resolve))
      }
      return 0
    },
  })
  const size = 24 * 1024 * 1024
  const chunk = Buffer.alloc(64 * 1024, 7)
  const stdin = Readable.from(
    (function* () {
      for (let left = size; left > 0; left -= chunk.length) yield chunk
    })(),
    { objectMode: false },
  )
  const held = Promise.withResolvers<void>()
  let got = 0
  const stdout = new Writable({
    write(piece, _encoding, done) {
      got += piece.length
      // The first piece is taken only when all else stands still.
      if (got === piece.length) held.promise.then(() => done())
      else done()
    },
  })
  const running = execute({ ...command, command: ['cat'], stdin, stdout }, signal)
  await standsStill(() => sent)
  assert.ok(sent > 0 && sent < size / 2, `${sent} bytes went on`)
  held.resolve()
  assert.equal(await running, 0)
  assert.equal(got, size)
})

test('what is said instead of running a command is told', async (t) => {
  const refusing = await played(t, {
    command: async () => 0,
    refuse: () => ({ code: 404, text: 'container not found ("main")\n' }),
  })
  await assert.rejects(execute({ ...refusing, command: ['ls'] }, signal), {
    code: 'HUB_STREAM_REFUSED',
    fields: { status: 404, reason: 'container not found ("main")' },
  })
  const failing = await played(t, {
    command: async () => ({ status: 'Failure', message: 'no such file', reason: 'InternalError' }),
  })
  await assert.rejects(execute({ ...failing, command: ['ls'] }, signal), {
    code: 'HUB_STREAM_COMMAND',
    fields: { reason: 'no such file' },
  })
})

test('a connection that breaks in the middle is no success', async (t) => {
  const command = await played(t, {
    command: async ({ stdout, breakOff }) => {
      stdout?.write('half')
      await new Promise((resolve) => setImmediate(resolve))
      breakOff()
      return await new Promise(() => undefined)
    },
  })
  await assert.rejects(execute({ ...command, command: ['ls'], stdout: new PassThrough() }, signal), {
    code: 'HUB_STREAM_CUT_OFF',
  })
  const nowhere = { ...command, connect: async () => connect(1, '127.0.0.1') }
  await assert.rejects(execute({ ...nowhere, command: ['ls'] }, signal), { code: 'HUB_STREAM_CUT_OFF' })
})

test('an abort ends the command at the other side', async (t) => {
  const left = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  const command = await played(t, {
    command: async ({ stdout }) => {
      stdout?.on('close', () => left.resolve())
      begun.resolve()
      return await new Promise(() => undefined)
    },
  })
  const controller = new AbortController()
  const running = execute({ ...command, command: ['sleep'], stdout: new PassThrough() }, controller.signal)
  await begun.promise
  controller.abort(new Error('enough'))
  await assert.rejects(running, { message: 'enough' })
  await left.promise
})

async function played(t: TestContext, streams: PlayedStreams): Promise<Omit<Command, 'command'>> {
  const server = createServer()
  playStreams(server, streams)
  await listen(server, { host: '127.0.0.1', port: 0 })
  t.after(() => server.close())
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return { connect: async () => connect(port, '127.0.0.1'), path: EXEC, clock: systemClock }
}

/** Settles when the number has not grown for some turns of the event loop. */
async function standsStill(read: () => number): Promise<void> {
  let [last, turns] = [-1, 0]
  while (turns < 2000) {
    await new Promise((resolve) => setImmediate(resolve))
    turns = read() === last && last > 0 ? turns + 1 : 0
    last = read()
  }
}
