import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough, Readable, type Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { Attach, Cp, Exec, KubeConfig, Log, PortForward, type V1Status } from '@kubernetes/client-node'
import { temporaryFolder } from '../../tools/testing/temporary-folder.ts'
import type { PlayCommand } from '../streaming/testing/played-streams.ts'
import { serveTestApi } from './testing/serve.ts'
import { type PlayedKubelet, podAtKubelet, serveKubelet } from './testing/served-kubelet.ts'

/** Runs the words on this machine, as a container would. */
const runHere: PlayCommand = async ({ query, stdin, stdout, stderr }) => {
  const [program = '', ...words] = query.getAll('command')
  const child = spawn(program, words, { stdio: 'pipe' })
  child.stdin.on('error', () => undefined)
  if (stdin) stdin.pipe(child.stdin)
  else child.stdin.end()
  const pump = async (from: Readable, to: Writable | undefined) => {
    for await (const chunk of from) to?.write(chunk)
  }
  const [[code]] = await Promise.all([once(child, 'exit'), pump(child.stdout, stdout), pump(child.stderr, stderr)])
  return Number(code)
}

test('Exec: input, outputs and the exit code', async (t) => {
  const config = await served(t, { command: runHere })
  const [out, err] = [new PassThrough(), new PassThrough()]
  const said = [text(out), text(err)]
  const script = 'cat; echo bad >&2; exit 5'
  const status = await statusOf((done) =>
    new Exec(config).exec('default', 'web', 'main', ['sh', '-c', script], out, err, Readable.from(['in']), false, done),
  )
  assert.deepEqual(await Promise.all(said), ['in', 'bad\n'])
  assert.deepEqual(status.details?.causes, [{ reason: 'ExitCode', message: '5' }])
})

test('Exec: a terminal tells its size', async (t) => {
  const config = await served(t, {
    command: async ({ resize, stdout }) => {
      for await (const size of resize ?? []) {
        stdout?.write(String(size))
        break
      }
      return 0
    },
  })
  const terminal = Object.assign(new PassThrough(), { rows: 31, columns: 97 })
  const said = text(terminal)
  const status = await statusOf((done) =>
    new Exec(config).exec('default', 'web', 'main', 'top', terminal, null, null, true, done),
  )
  assert.equal(status.status, 'Success')
  assert.equal(await said, '{"Width":97,"Height":31}\n')
})

test('Attach: what the container writes', async (t) => {
  const config = await served(t, {
    command: async ({ path, stdout }) => {
      stdout?.write(path)
      return 0
    },
  })
  const out = new PassThrough()
  const said = text(out)
  await new Attach(config).attach('default', 'web', 'main', out, null, null, false)
  assert.equal(await said, '/attach/default/web/main')
})

test('PortForward: the older form of it, over a WebSocket, is the node’s affair', async (t) => {
  const config = await served(t, {
    command: async () => 0,
    port: async (port, data) => {
      for await (const chunk of data) data.write(`${port} heard ${String(chunk)}`)
      data.end()
    },
  })
  const [out, input] = [new PassThrough(), new PassThrough()]
  const socket = await new PortForward(config).portForward('default', 'web', [8080], out, null, input)
  input.write('hello')
  const [heard] = await once(out, 'data')
  assert.equal(String(heard), '8080 heard hello')
  if ('close' in socket) socket.close()
})

test('Log: followed until it ends', async (t) => {
  const heard = Promise.withResolvers<void>()
  const config = await served(t, {
    command: async () => 0,
    answer: (_request, response) => {
      response.write('one\n')
      void heard.promise.then(() => response.end('two\n'))
    },
  })
  const out = new PassThrough()
  const said = text(out)
  await new Log(config).log('default', 'web', 'main', out, { follow: true })
  out.once('data', () => heard.resolve())
  assert.equal(await said, 'one\ntwo\n')
})

test('Cp: files to a pod and back', async (t) => {
  const config = await served(t, { command: runHere })
  const [here, there, back] = ['here', 'there', 'back'].map((name) => join(temporaryFolder('cp-'), name))
  assert.ok(here !== undefined && there !== undefined && back !== undefined)
  for (const folder of [here, there, back]) await mkdir(folder, { recursive: true })
  const content = Buffer.alloc(3 * 1024 * 1024, 'skerry')
  await writeFile(join(here, 'file'), content)
  // They begin, and do not tell when they are done.
  const exec = new Exec(config)
  const run = exec.exec.bind(exec)
  let done = Promise.withResolvers<V1Status>()
  exec.exec = (namespace, pod, container, command, out, err, input, tty) =>
    run(namespace, pod, container, command, out, err, input, tty, (status) => done.resolve(status))
  const cp = new Cp(config, exec)
  await cp.cpToPod('default', 'web', 'main', here, there)
  assert.equal((await done.promise).status, 'Success')
  done = Promise.withResolvers()
  await cp.cpFromPod('default', 'web', 'main', 'file', back, there)
  assert.equal((await done.promise).status, 'Success')
  await appears(join(back, 'file'), content)
})

/** Of a command that has ended. */
function statusOf(run: (done: (status: V1Status) => void) => Promise<unknown>): Promise<V1Status> {
  return new Promise((resolve, reject) => {
    run(resolve).catch(reject)
  })
}

/** Settles when the file has that content; the test's own deadline ends it otherwise. */
async function appears(path: string, content: Buffer): Promise<void> {
  for (;;) {
    const found = await readFile(path).catch(() => undefined)
    if (found && content.equals(found)) return
    await new Promise((resolve) => setImmediate(resolve))
  }
}

async function served(t: TestContext, played: PlayedKubelet): Promise<KubeConfig> {
  const api = await serveTestApi(t)
  const kubelet = await serveKubelet(t, api, played)
  await podAtKubelet(api, kubelet.port)
  const config = new KubeConfig()
  config.loadFromFile(api.kubeconfig)
  return config
}
