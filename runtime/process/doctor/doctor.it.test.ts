import assert from 'node:assert/strict'
import { chmod, mkdir, readdir, rename, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import { testAuthority, testIdentity } from '../../../platform/certificates/testing/index.ts'
import { listen } from '../../../platform/http/listen.ts'
import { ms, systemClock } from '../../../platform/time/index.ts'
import { nodeCommonName } from '../../../schemas/index.ts'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import { ScriptedRuntime } from '../../edged/testing/scripted-runtime.ts'
import { run } from '../testing/run.ts'
import { launcher } from '../testing/up.ts'
import { judgeBroker } from './checks/broker.ts'
import { judgePort, ports } from './checks/ports.ts'
import { sockets } from './checks/sockets.ts'
import { ok } from './finding.ts'
import { runChecks } from './run-checks.ts'
import { readSetup } from './setup.ts'

const never = new AbortController().signal

async function doctor(directory: string, env: Readonly<Record<string, string>> = {}) {
  const ran = await run(process.execPath, [launcher, 'doctor', '--data', directory, '-o', 'json'], { env })
  const report: { kind: string; findings: { check: string; outcome: string; message: string; advice?: string }[] } =
    JSON.parse(ran.stdout)
  const of = (check: string) => report.findings.filter((each) => each.check === check)
  return { code: ran.code, kind: report.kind, of }
}

/** A server on a free port of loopback. */
async function serving(t: TestContext, server: ReturnType<typeof createServer>): Promise<number> {
  await listen(server, { host: '127.0.0.1', port: 0 })
  t.after(() => server.close())
  const address = server.address()
  return typeof address === 'object' && address ? address.port : 0
}

test('on a fresh machine nothing has failed, and nothing was made', { timeout: 120_000 }, async () => {
  const parent = temporaryFolder('skerry-doctor-')
  const { code, kind, of } = await doctor(join(parent, 'data'))
  assert.equal(kind, 'none')
  assert.equal(of('skerry')[0]?.outcome, 'warn')
  assert.match(of('skerry')[0]?.advice ?? '', /skerry up/)
  assert.equal(of('node.js')[0]?.outcome, 'ok')
  // Somebody may have one of the usual ports here.
  const isFree = of('ports').every(({ outcome }) => outcome === 'ok')
  assert.ok(code === 0 || !isFree)
  assert.deepEqual(await readdir(parent), [])
})

test('a gateway hears what is wrong with it: identity, ports, hub, broker, runtime', {
  timeout: 120_000,
}, async (t) => {
  const directory = temporaryFolder('skerry-doctor-')
  const authority = await testAuthority()
  const subject = { commonName: nodeCommonName('edge-1'), organizations: ['system:nodes'] }
  const own = await testIdentity(authority, subject, ['clientAuth'])
  const other = await testIdentity(authority, subject, ['clientAuth'])
  await mkdir(join(directory, 'pki'))
  await writeFile(join(directory, 'pki', 'rootCA.crt'), own.ca)
  await writeFile(join(directory, 'pki', 'server.crt'), own.cert)
  await writeFile(join(directory, 'pki', 'server.key'), other.key, { mode: 0o600 })
  const taken = await serving(t, createServer())
  await using runtime = await ScriptedRuntime.open()
  runtime.scripts['Version'] = () => ({ runtimeName: 'scripted', runtimeVersion: '1', runtimeApiVersion: 'v1' })
  runtime.scripts['Status'] = () => ({
    status: {
      conditions: [
        { type: 'RuntimeReady', status: true },
        { type: 'NetworkReady', status: false, message: 'no network config found' },
      ],
    },
  })
  await runtime.start()
  await writeFile(
    join(directory, 'config.yaml'),
    `node: {name: edge-1}
cloud: {server: '127.0.0.1:1', certificates: '127.0.0.1:1'}
mqtt: {mode: both, port: ${taken}, external: {url: 'mqtt://127.0.0.1:1'}}
metaServer: {port: ${taken}}
serviceBus: {listener: {port: ${taken}}}
http: {port: ${taken}}
metrics: {port: 0}
edged: {runtime: '${runtime.socket}', port: ${taken}}
`,
  )
  const { code, kind, of } = await doctor(directory)
  assert.equal(code, 1)
  assert.equal(kind, 'edge')
  assert.ok(of('certificates').some(({ outcome, message }) => outcome === 'fail' && /key is not that/.test(message)))
  assert.match(of('ports')[0]?.message ?? '', new RegExp(`port ${taken} .*MQTT broker.* is taken`))
  assert.match(of('ports')[0]?.advice ?? '', /mqtt\.port/)
  assert.deepEqual(
    of('ports').map(({ advice = '' }) => /set (\S+)$/.exec(advice)?.[1]),
    ['mqtt.port', 'metaServer.port', 'serviceBus.listener.port', 'http.port', 'edged.port'],
  )
  assert.match(of('tunnel')[0]?.message ?? '', /^the tunnel server at 127\.0\.0\.1:10004 /)
  assert.equal(of('hub')[0]?.outcome, 'fail')
  assert.match(of('broker')[0]?.message ?? '', /127\.0\.0\.1:1 does not answer/)
  const said = of('containers').map(({ outcome, message }) => `${outcome} ${message}`)
  assert.match(said[0] ?? '', /^ok scripted 1 answers/)
  assert.ok(
    said.some((line) => /^fail .*no network config found/.test(line)),
    said.join('\n'),
  )
})

test('the hub of a gateway answers, and is the one that it trusts', { timeout: 120_000 }, async (t) => {
  const directory = temporaryFolder('skerry-doctor-')
  const authority = await testAuthority()
  const subject = { commonName: nodeCommonName('edge-1'), organizations: ['system:nodes'] }
  const own = await testIdentity(authority, subject, ['clientAuth'])
  const server = await testIdentity(authority, { commonName: 'cloud' }, ['serverAuth'])
  const foreign = await testIdentity(await testAuthority(), { commonName: 'cloud' }, ['serverAuth'])
  await mkdir(join(directory, 'pki'))
  await writeFile(join(directory, 'pki', 'rootCA.crt'), own.ca)
  await writeFile(join(directory, 'pki', 'server.crt'), own.cert)
  await writeFile(join(directory, 'pki', 'server.key'), own.key, { mode: 0o600 })
  const outcomes = []
  const tunnels = []
  for (const identity of [server, foreign]) {
    const port = await serving(
      t,
      createTlsServer(identity, (socket) => socket.on('error', () => undefined)),
    )
    const text = `node: {name: edge-1}\ncloud: {server: '127.0.0.1:${port}', tunnel: '127.0.0.1:${port}'}\nmetrics: {port: 0}\nedged: {enabled: false}\n`
    await writeFile(join(directory, 'config.yaml'), text)
    const { of } = await doctor(directory)
    outcomes.push(of('hub')[0]?.outcome)
    tunnels.push(of('tunnel')[0])
  }
  assert.deepEqual(outcomes, ['ok', 'fail'])
  assert.deepEqual(
    tunnels.map((each) => each?.outcome),
    ['ok', 'warn'],
  )
  assert.match(tunnels[1]?.message ?? '', /kubectl logs and exec/)
  assert.match(tunnels[1]?.advice ?? '', /open TCP port \d+ on the way to 127\.0\.0\.1/)
})

test('a configuration that cannot be read is told, and the rest is looked at', { timeout: 120_000 }, async () => {
  const directory = temporaryFolder('skerry-doctor-')
  await writeFile(join(directory, 'config.yaml'), 'node: {nam: edge-1}\n')
  const { code, of } = await doctor(directory)
  assert.equal(code, 1)
  assert.match(of('skerry').find(({ outcome }) => outcome === 'fail')?.message ?? '', /nam/)
  assert.equal(of('data').length > 0, true)
})

test('a broker answers, is silent, is none at all, or is not there', { timeout: 60_000 }, async (t) => {
  const mqtt = await serving(
    t,
    createServer((socket) => socket.once('data', () => socket.write(Buffer.from([0x20, 2, 0, 5])))),
  )
  const http = await serving(
    t,
    createServer((socket) => socket.once('data', () => socket.write('HTTP/1.1 400'))),
  )
  const mute = await serving(
    t,
    createServer((socket) => socket.on('error', () => undefined)),
  )
  const outcome = async (port: number, signal = never) =>
    (await judgeBroker(`mqtt://127.0.0.1:${port}`, signal)).outcome
  assert.deepEqual([await outcome(mqtt), await outcome(http), await outcome(1)], ['ok', 'warn', 'fail'])
  const late = new AbortController()
  const waiting = outcome(mute, late.signal)
  late.abort()
  assert.equal(await waiting, 'fail')
})

test('a port is looked at without keeping it', { timeout: 60_000 }, async (t) => {
  const port = await serving(t, createServer())
  const at = { host: '127.0.0.1', what: 'broker', key: 'mqtt.port' }
  assert.equal((await judgePort({ ...at, port }))?.outcome, 'fail')
  assert.equal((await judgePort({ ...at, host: '192.0.2.1', port }))?.outcome, 'fail')
  assert.equal(await judgePort({ ...at, host: '127.0.0.3', port }), undefined)
  assert.equal(await judgePort({ ...at, host: '127.0.0.3', port }), undefined)
})

test('the ports of a cloud half are looked at, the Router and the stream endpoint among them', async (t) => {
  const directory = temporaryFolder('skerry-doctor-')
  await mkdir(join(directory, 'pki', 'kubernetes'), { recursive: true })
  const port = await serving(t, createServer())
  const text = `cloudhub: {port: ${port}, certificatePort: ${port}}
cloudstream: {tunnelPort: ${port}, kubelets: {port: ${port}}}
router: {port: ${port}}
kubernetes: {port: ${port}}
metrics: {port: ${port}}
`
  await writeFile(join(directory, 'config.yaml'), text)
  const setup = await readSetup(directory, undefined)
  assert.deepEqual([setup.kind, setup.problems], ['cloud', []])
  const found = await ports.run(setup, never)
  assert.deepEqual(
    found.map(({ advice = '' }) => /set (\S+)$/.exec(advice)?.[1]),
    [
      ...['cloudhub.port', 'cloudhub.certificatePort', 'cloudstream.tunnelPort', 'cloudstream.kubelets.port'],
      ...['router.port', 'kubernetes.port', 'metrics.port'],
    ],
  )
})

test('the socket of Edged answers, is open to others, is silent, or is gone', async (t) => {
  const directory = temporaryFolder('skerry-doctor-')
  const path = join(directory, 'edged.sock')
  const status = { version: '0.1.0', processes: [] }
  const setup = { ...(await readSetup(directory, undefined)), status, endpoints: { edged: path } }
  const said = async () => (await sockets.run(setup, never)).find(({ message }) => /Edged/.test(message))
  assert.match((await said())?.message ?? '', /is gone/)
  const server = createServer((socket) => socket.on('error', () => undefined))
  await listen(server, { path })
  t.after(() => server.close())
  await chmod(path, 0o600)
  assert.deepEqual(await said(), ok('the socket of Edged answers'))
  await chmod(path, 0o666)
  assert.match((await said())?.message ?? '', /run commands in all pods/)
  await rename(path, `${path}.old`)
  await writeFile(path, '', { mode: 0o600 })
  assert.match((await said())?.message ?? '', /ECONNREFUSED/)
  assert.deepEqual(await sockets.run({ ...setup, status: undefined }, never), [])
})

test('a check that hangs or fails is a finding, and holds nobody up', { timeout: 60_000 }, async () => {
  const setup = await readSetup(temporaryFolder('skerry-doctor-'), undefined)
  const checks = [
    { name: 'hangs', run: () => new Promise<never>(() => undefined) },
    { name: 'fails', run: async () => Promise.reject(new Error('it broke')) },
    { name: 'works', run: async () => [ok('fine')] },
  ]
  const found = await runChecks(checks, setup, { clock: systemClock, deadline: ms(50) })
  assert.deepEqual(
    found.map(({ check, outcome }) => [check, outcome]),
    [
      ['hangs', 'fail'],
      ['fails', 'fail'],
      ['works', 'ok'],
    ],
  )
  assert.match(found[1]?.message ?? '', /it broke/)
})
