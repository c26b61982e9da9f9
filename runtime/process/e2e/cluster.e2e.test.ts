import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { parseAllDocuments } from 'yaml'
import { needs } from '../../../tools/testing/needs.ts'
import { ACCOUNT, NAMESPACE, TestCluster } from '../testing/cluster/test-cluster.ts'
import { Half } from '../testing/fleet.ts'
import { collect, eventually } from '../testing/run.ts'
import { launcher } from '../testing/up.ts'
import { freePort } from '../up/ports.ts'
import { packageRoot } from '../version.ts'

const IN = ['-n', NAMESPACE] as const
const VALUES = { listen: '127.0.0.1', cloudhub: { advertise: ['127.0.0.1'] } }
const REPORTED = '{.status.twins[?(@.propertyName=="targetSpeed")].reported.value}'
const SYNCED = '{.status.conditions[?(@.type=="Synced")].status}'
const SECRETS = 'jsonpath={range .items[*]}{.metadata.name} {.metadata.uid} {end}'

describe('an installation of the chart on a cluster', { skip: needs('kubectl') }, () => {
  let cluster: TestCluster
  let gateway: Half
  let simulator: ChildProcess
  let earlyToken: string

  before(async () => {
    cluster = await TestCluster.start()
    gateway = new Half('edge', join(cluster.directory, 'gateway-1'))
  })

  after(async () => {
    simulator?.kill('SIGKILL')
    await gateway.end('SIGKILL')
    await cluster[Symbol.asyncDispose]()
  })

  const patchSpeed = (value: number) => {
    const patch = [{ op: 'add', path: '/spec/properties/0/desired', value: { value: String(value) } }]
    return cluster.done('patch', 'device', 'pump-1', '--type=json', '-p', JSON.stringify(patch))
  }
  const untilSpeed = async (value: number) => {
    await cluster.untilField('device', 'pump-1', REPORTED, String(value))
    await cluster.untilField('device', 'pump-1', SYNCED, 'True')
  }
  const rolledOut = () => cluster.done(...IN, 'rollout', 'status', 'deployment/skerry-cloud', '--timeout=150s')

  it('comes up with two replicas that have nothing but the manifest, and no more than its rights', async () => {
    await cluster.install(VALUES)
    await rolledOut()
    const pods = await cluster.untilReady(2)
    for (const pod of pods) assert.equal(await pod.probe('livenessProbe'), true)
  })

  it('has Services, a budget and a NetworkPolicy that take hold of those pods, and metrics on the port that is scraped', async () => {
    const names = async (selector: string) =>
      (await cluster.done(...IN, 'get', 'pods', '-o', 'name', '-l', selector)).trim().split('\n')
    const kinds = {
      'service/skerry-cloud': '{.spec.selector}',
      'service/skerry-cloud-internal': '{.spec.selector}',
      'poddisruptionbudget/skerry-cloud': '{.spec.selector.matchLabels}',
      'networkpolicy/skerry-cloud': '{.spec.podSelector.matchLabels}',
    }
    for (const [object, path] of Object.entries(kinds)) {
      const labels: object = JSON.parse(await cluster.done(...IN, 'get', object, '-o', `jsonpath=${path}`))
      const selector = Object.entries(labels).map(([name, value]) => `${name}=${value}`)
      assert.equal((await names(selector.join(','))).length, 2, object)
    }
    await cluster.untilField('poddisruptionbudget', 'skerry-cloud', '{.status.disruptionsAllowed}', '1', NAMESPACE)
    const path = '{.spec.ports[?(@.name=="metrics")].targetPort}'
    const port = await cluster.done(...IN, 'get', 'service', 'skerry-cloud-internal', '-o', `jsonpath=${path}`)
    for (const pod of cluster.kubelet.ready) {
      const { status, text } = await pod.get(port, '/metrics')
      assert.equal(status, 200)
      assert.match(text, /^# TYPE skerry_/m)
    }
  })

  it('lets a gateway join through its Service, and keeps a device true', async () => {
    const [pod] = cluster.kubelet.ready
    const made = await pod?.exec('token', 'create', '--node', 'gateway-1')
    earlyToken = (await pod?.exec('token', 'create', '--node', 'gateway-2'))?.stdout.trim() ?? ''
    const where = ['--cloud', `127.0.0.1:${cluster.cloudhub.port}`, '--cert-port', String(cluster.certificates.port)]
    const joined = await gateway.skerry('join', ...where, '--token', made?.stdout.trim() ?? '')
    assert.equal(joined.code, 0, joined.stderr)
    const cloud = {
      server: `127.0.0.1:${cluster.cloudhub.port}`,
      certificates: `127.0.0.1:${cluster.certificates.port}`,
    }
    const config = {
      node: { name: 'gateway-1' },
      cloud: { ...cloud, retrySeconds: 2 },
      mqtt: { port: await freePort() },
      metrics: { port: 0 },
    }
    await gateway.write('config.yaml', JSON.stringify(config))
    await gateway.start()
    await cluster.untilField('node', 'gateway-1', '{.status.conditions[?(@.type=="Ready")].status}', 'True')
    const port = await freePort()
    simulator = spawn(process.execPath, [launcher, 'simulate', 'modbus', '--port', String(port)], { stdio: 'pipe' })
    await collect(simulator).waitFor(/\n/)
    await cluster.done('apply', '-f', join(packageRoot, 'samples', 'pump', 'model.yaml'))
    const [device] = parseAllDocuments(await readFile(join(packageRoot, 'samples', 'pump', 'device.yaml'), 'utf8')).map(
      (each) => each.toJS(),
    )
    device.spec.nodeName = 'gateway-1'
    device.spec.protocol.configData.port = port
    const applied = await cluster.kubectlWith(JSON.stringify(device), 'apply', '-f', '-')
    assert.equal(applied.code, 0, applied.stderr)
    await patchSpeed(900)
    await untilSpeed(900)
  })

  it('loses no change that was acknowledged while it is upgraded, one pod after the other', async () => {
    const isThrough = new AbortController()
    await cluster.install({ ...VALUES, log: { level: 'debug' } })
    const rolling = rolledOut().finally(() => isThrough.abort())
    let speed = 1000
    while (!isThrough.signal.aborted && speed < 2900) await patchSpeed(++speed)
    await rolling
    await patchSpeed(++speed)
    await untilSpeed(speed)
    assert.ok(speed > 1002, 'changes were made all the while')
    await cluster.untilReady(2)
    assert.deepEqual(cluster.kubelet.exitCodes, [0, 0], 'the old pods stopped cleanly')
  })

  it('is not ready while the API is away, and alive; then it goes on by itself', async () => {
    const pods = cluster.kubelet.ready
    cluster.setApi(false)
    await cluster.untilReady(0)
    for (const pod of pods) {
      assert.equal(await pod.probe('livenessProbe'), true)
      assert.match((await pod.get('metrics', '/readyz?verbose')).text, /pending: the Kubernetes API, .*not ready/s)
    }
    await patchSpeed(500)
    cluster.setApi(true)
    assert.deepEqual(
      [...(await cluster.untilReady(2))].map(({ name }) => name).sort(),
      pods.map(({ name }) => name).sort(),
    )
    await untilSpeed(500)
  })

  it('has lost nothing when all pods are gone at once with their disks', async () => {
    const secrets = () => cluster.done(...IN, 'get', 'secrets', '-o', SECRETS)
    const before = await secrets()
    const old = cluster.kubelet.ready.map(({ name }) => name)
    await cluster.done(...IN, 'scale', 'deployment/skerry-cloud', '--replicas=0')
    await eventually('the old pods are gone', async () =>
      (await cluster.done(...IN, 'get', 'pods', '-o', 'name')) === '' ? true : undefined,
    )
    await patchSpeed(700)
    await cluster.done(...IN, 'scale', 'deployment/skerry-cloud', '--replicas=2')
    for (const { name } of await cluster.untilReady(2)) assert.ok(!old.includes(name))
    await untilSpeed(700)
    assert.equal(await secrets(), before)
    const second = new Half('edge', join(cluster.directory, 'gateway-2'))
    const where = ['--cloud', `127.0.0.1:${cluster.cloudhub.port}`, '--cert-port', String(cluster.certificates.port)]
    const joined = await second.skerry('join', ...where, '--token', earlyToken)
    assert.equal(joined.code, 0, joined.stderr)
  })

  it('was refused nothing by the API, from its first start to the end', async () => {
    await cluster.done('delete', 'device', 'pump-1')
    await cluster.untilField('devicestatuses', '', '{.items}', '[]')
    const events = await cluster.auditOf(ACCOUNT)
    assert.ok(events.length > 200, String(events.length))
    const refused = events.filter(({ responseStatus }) => responseStatus.code === 403 || responseStatus.code === 401)
    assert.deepEqual(
      refused.map(({ responseStatus }) => responseStatus.message),
      [],
    )
  })
})
