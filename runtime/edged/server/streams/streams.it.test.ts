import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect as dial } from 'node:net'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { askUpgrade, type Command, execute, SpdyConnection } from '../../../../hub/streaming/index.ts'
import { systemClock as clock } from '../../../../platform/time/index.ts'
import type { JsonObject } from '../../../../schemas/index.ts'
import { temporaryFolder } from '../../../../tools/testing/temporary-folder.ts'
import { askEdged } from '../../testing/ask-edged.ts'
import { needsContainerd, startContainerd, TEST_IMAGE, type TestContainerd } from '../../testing/containerd.ts'
import { EdgedBench } from '../../testing/edged-bench.ts'

const STAYS = "trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done"
const container = (name: string, script: string, more: JsonObject = {}): JsonObject => ({
  ...{ name, image: TEST_IMAGE, command: ['sh', '-c', script], ...more },
})
const pod = (name: string, spec: JsonObject): JsonObject => ({
  ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'shop', uid: `uid-of-${name}` } },
  spec: { terminationGracePeriodSeconds: 1, ...spec },
})

describe('streams to containers of a containerd', { skip: needsContainerd(), timeout: 240_000 }, () => {
  let containerd: TestContainerd
  let bench: EdgedBench
  const directory = temporaryFolder()
  const socket = join(directory, 'edged.sock')
  const connect: Command['connect'] = async () => {
    const made = dial(socket)
    await once(made, 'connect')
    return made
  }
  const run = async (path: string, more: Partial<Command>, input?: Readable) => {
    const [out, err] = [new PassThrough(), new PassThrough()]
    const said = [buffer(out), text(err)] as const
    const stdin = input === undefined ? {} : { stdin: input }
    const signal = AbortSignal.timeout(60_000)
    const code = await execute(
      { connect, path, command: [], stdout: out, stderr: err, clock, ...stdin, ...more },
      signal,
    )
    out.end()
    err.end()
    return { code, out: await said[0], err: await said[1] }
  }

  before(async () => {
    containerd = await startContainerd({ subnet: '10.233.62.0/24' })
    bench = new EdgedBench({ runtime: containerd.socket, directory })
    await bench.start()
    bench.assign(
      pod('till', {
        initContainers: [container('beside', STAYS, { restartPolicy: 'Always' })],
        containers: [
          container('app', STAYS),
          container('echo', 'while read line; do echo "heard $line"; done', { stdin: true }),
          container('term', 'cat', { stdin: true, tty: true }),
          container('web', 'mkdir /www; echo hi > /www/index.html; exec httpd -f -p 8080 -h /www'),
          container('done', 'exit 0'),
        ],
      }),
    )
    bench.assign(
      pod('host', {
        hostNetwork: true,
        containers: [container('web', 'mkdir /www; echo host > /www/index.html; exec httpd -f -p 18961 -h /www')],
      }),
    )
    await bench.phase('shop/till', 'Running')
    await bench.phase('shop/host', 'Running')
  })

  after(async () => {
    await bench[Symbol.asyncDispose]()
    await containerd[Symbol.asyncDispose]()
  })

  it('run commands with their output, input and exit code, also in sidecars', async () => {
    const both = await run('/exec/shop/till/app', { command: ['sh', '-c', 'echo out; echo err >&2; exit 7'] })
    assert.deepEqual([both.code, both.out.toString(), both.err], [7, 'out\n', 'err\n'])
    const read = await run('/exec/shop/till/uid-of-till/beside', { command: ['cat'] }, Readable.from(['one ', 'two']))
    assert.deepEqual([read.code, read.out.toString()], [0, 'one two'])
  })

  it('carry bytes as they are', async () => {
    const bytes = randomBytes(3_000_000)
    const { code, out } = await run('/exec/shop/till/app', { command: ['cat'] }, Readable.from([bytes]))
    assert.equal(code, 0)
    assert.equal(createHash('sha256').update(out).digest('hex'), createHash('sha256').update(bytes).digest('hex'))
  })

  it('attach to what runs, with or without a terminal', async () => {
    const input = new PassThrough()
    const output = new PassThrough()
    const stop = new AbortController()
    const attached = execute(
      { connect, path: '/attach/shop/till/echo', command: [], stdin: input, stdout: output, clock },
      stop.signal,
    ).catch(() => undefined)
    input.write('hello\n')
    const [heard] = await once(output, 'data', { signal: AbortSignal.timeout(20_000) })
    assert.equal(String(heard), 'heard hello\n')
    stop.abort()
    await attached

    const typed = new PassThrough()
    const shown = new PassThrough()
    const left = new AbortController()
    const terminal = execute(
      { connect, path: '/attach/shop/till/term', command: [], stdin: typed, stdout: shown, tty: true, clock },
      left.signal,
    ).catch(() => undefined)
    typed.write('abc\r')
    let seen = ''
    while (!seen.includes('abc\r\nabc\r\n'))
      seen += String((await once(shown, 'data', { signal: AbortSignal.timeout(20_000) }))[0])
    left.abort()
    await terminal
  })

  it('forward ports, also of pods on the network of the host', async () => {
    assert.match(await overPort('till', 8080), /\r\n\r\nhi\n$/)
    assert.match(await overPort('host', 18_961), /\r\n\r\nhost\n$/)
  })

  /** As kubectl does: an error and a data stream for each connection. */
  async function overPort(name: string, port: number): Promise<string> {
    const signal = AbortSignal.timeout(30_000)
    const headers = {
      ...{ host: 'localhost', connection: 'Upgrade', upgrade: 'SPDY/3.1', 'content-length': 0 },
      'x-stream-protocol-version': 'portforward.k8s.io',
    }
    const answer = await askUpgrade(
      { connect, clock, method: 'POST', path: `/portForward/shop/${name}`, headers },
      signal,
    )
    assert.ok(answer.isUpgraded)
    const connection = new SpdyConnection(answer.socket, answer.head, { role: 'client', clock })
    const of = { port: String(port), requestid: '0' }
    const errors = await connection.open({ streamtype: 'error', ...of }, signal)
    errors.end()
    const data = await connection.open({ streamtype: 'data', ...of }, signal)
    const answered = text(data)
    data.write('GET / HTTP/1.0\r\n\r\n')
    const said = await answered
    connection.close()
    return said
  }

  it('are refused in the words of a kubelet', async () => {
    const refusal = async (path: string, command: readonly string[] = ['true']) =>
      run(path, { command }).then(
        ({ code }) => ({ code }),
        (error: unknown) => Object(error).fields,
      )
    assert.deepEqual(await refusal('/exec/shop/till/done'), { status: 500, reason: 'container not found ("done")' })
    assert.deepEqual(await refusal('/attach/shop/till/done', []), {
      ...{ status: 500, reason: 'container done not found in pod till_shop' },
    })
    assert.deepEqual(await refusal('/exec/shop/nobody/app'), { status: 404, reason: 'pod does not exist' })
    assert.deepEqual(await refusal('/exec/shop/till/another-uid/app'), { status: 404, reason: 'pod not found' })
    assert.deepEqual(await refusal('/exec/shop/till/app', []), {
      ...{ status: 400, reason: 'you must specify at least one command for the container' },
    })
    assert.deepEqual(await refusal('/exec/shop/..%2f..%2fetc/app'), { status: 404, reason: '404 page not found' })
    assert.equal((await askEdged(socket, '/exec/shop/till/app?command=true&output=1', 'POST')).status, 400)
  })

  it('end with an error where the runtime ends, and serve again when it is back', async () => {
    const output = new PassThrough()
    const cut = execute(
      { connect, path: '/exec/shop/till/app', command: ['sh', '-c', 'echo begun; sleep 60'], stdout: output, clock },
      AbortSignal.timeout(60_000),
    )
    await once(output, 'data')
    const broken = assert.rejects(cut, { code: 'HUB_STREAM_CUT_OFF' })
    await containerd.kill()
    await broken
    const away = await run('/exec/shop/till/app', { command: ['true'] }).catch((error: unknown) => Object(error).fields)
    assert.equal(away.status, 503)
    assert.match(away.reason, /^the container runtime does not answer/)
    await containerd.start()
    assert.equal((await run('/exec/shop/till/app', { command: ['true'] })).code, 0)
  })
})
