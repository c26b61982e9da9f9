import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Duplex, PassThrough } from 'node:stream'
import { describe, it, type TestContext } from 'node:test'
import { ms, systemClock } from '../../platform/time/index.ts'
import { DeviceSilentError } from '../contract/index.ts'
import { openPty } from '../simulators/index.ts'
import { openTextLine, type TextLineOptions } from './index.ts'
import { TextLine } from './text-line.ts'

const clock = {
  now: () => systemClock.now(),
  sleep: (milliseconds: number, signal: AbortSignal) => systemClock.sleep(ms(milliseconds), signal),
}
const never = new AbortController().signal

/** A line whose other end is a pseudo-terminal; `device` answers each question, or says nothing. */
async function start(t: TestContext, device: (question: string) => string | undefined, options: TextLineOptions = {}) {
  const pty = await openPty({ clock: systemClock })
  t.after(() => pty.close())
  let text = ''
  pty.listen((bytes) => {
    const questions = (text + bytes.toString('latin1')).split('\n')
    text = questions.pop() ?? ''
    for (const question of questions) {
      const answer = device(question)
      if (answer !== undefined) pty.send(Buffer.from(answer, 'latin1'))
    }
  })
  const line = await openTextLine(pty.path, { clock, signal: never }, options)
  t.after(() => line[Symbol.asyncDispose]())
  return { pty, line }
}

describe('a line of text', { skip: process.platform === 'win32' ? 'no pseudo-terminals' : false }, () => {
  it('asks over a serial port, with every byte as it is', async (t) => {
    const { line } = await start(t, (question) => `<${question}>\r\n`)
    assert.equal(await line.ask('T?', never), '<T?>')
    assert.equal(await line.ask('\u00b0C \u00ff', never), '<\u00b0C \u00ff>')
  })

  it('gives up at once when the signal aborts', async (t) => {
    const { line } = await start(t, () => undefined, { timeout: 60_000 })
    const stop = new AbortController()
    const asked = assert.rejects(line.ask('T?', stop.signal), { message: 'enough' })
    stop.abort(new Error('enough'))
    await asked
  })

  it('says that the line is lost when the port is unplugged, and to every later question', async (t) => {
    const { line, pty } = await start(t, () => undefined, { timeout: 60_000 })
    const asked = assert.rejects(line.ask('T?', never), { name: 'ConnectionLostError' })
    await pty.close()
    await asked
    await assert.rejects(line.ask('T?', never), { name: 'ConnectionLostError' })
  })
})

/** A line whose device says what the test says. */
function scripted(timeout = 60_000) {
  const stream = new Duplex({ read: () => undefined, write: (_bytes, _encoding, done) => done() })
  const say = async (text: string) => {
    const heard = once(stream, 'data')
    stream.push(Buffer.from(text, 'latin1'))
    await heard
  }
  return { say, line: new TextLine(stream, { address: 'COM1', end: '\n', timeout, clock }) }
}

it('says that the device is silent, and takes no late answer for the next question', async () => {
  const { line, say } = scripted(20)
  const silent = assert.rejects(line.ask('slow?', never), (error: unknown) => {
    assert.ok(error instanceof DeviceSilentError)
    assert.match(error.message, /COM1 did not answer "slow\?" within 20 ms: there came 4 bytes without an end/)
    return true
  })
  await say('half')
  await silent
  await say(' slow=9\n')
  const next = line.ask('next?', never)
  await say('next=1\r\n')
  assert.equal(await next, 'next=1')
  await line[Symbol.asyncDispose]()
})

it('does not hear out a device that never ends its answer', async () => {
  const { line, say } = scripted()
  const endless = assert.rejects(line.ask('T?', never), /more than 65536 characters and no end/)
  await say('a'.repeat(70_000))
  await endless
  await line[Symbol.asyncDispose]()
})

it('refuses a second question while one is open, and an address that is none', async () => {
  const line = new TextLine(new PassThrough(), { address: 'x', end: '\n', timeout: 60_000, clock })
  const first = line.ask('a', never)
  await assert.rejects(line.ask('b', never), /one after the other/)
  assert.equal(await first, 'a')
  await line[Symbol.asyncDispose]()
  await line[Symbol.asyncDispose]()
  await assert.rejects(openTextLine('tcp://nowhere', { clock, signal: never }), /must be tcp:\/\/HOST:PORT/)
})
