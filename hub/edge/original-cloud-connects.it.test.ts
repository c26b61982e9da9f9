import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { seconds, systemClock } from '../../platform/time/index.ts'
import { FakeClock } from '../../platform/time/testing/index.ts'
import { assignedDevices, type Frame, type JsonObject } from '../../schemas/index.ts'
import { pumpDevice, pumpModel, setTwin, twinOf } from './testing/edge-bench.ts'
import { eventually, type JoinedEdgeOptions, joinEdge } from './testing/joined-edge.ts'
import { OriginalCloud } from './testing/kubeedge/original-cloud.ts'

const NODE = 'null/node/edge-1'
const LEASE = 'kube-node-lease/lease/edge-1'

async function startBoth(t: TestContext, options: JoinedEdgeOptions = {}) {
  const cloud = await OriginalCloud.start(t, options)
  const joined = await joinEdge(t, cloud.joinable, options)
  const edge = await joined.start()
  return { cloud, joined, edge }
}

test('joining an original cloud shows no token before its CA is known, and uses KubeEdge’s headers and names', async (t) => {
  const cloud = await OriginalCloud.start(t)
  await joinEdge(t, cloud.joinable)
  const [first, second] = cloud.endpoint.calls
  assert.deepEqual([first?.path, first?.headers['authorization']], ['/ca.crt', undefined])
  assert.equal(second?.path, '/edge.crt')
  assert.equal(second?.headers['nodename'], 'edge-1')
  assert.match(String(second?.headers['authorization']), /^Bearer [\w-]+\.[\w-]+\.[\w-]+$/)
  assert.ok(Number(second?.headers['content-length']) > 100)
})

test('an edge names itself and the use of its connection, and says keepalive, node, status and lease in that order', async (t) => {
  const { cloud } = await startBoth(t)
  await cloud.until(() => cloud.answers.objects.get(LEASE), 'the lease')
  const headers = cloud.dialled[0]?.headers
  assert.deepEqual(
    [headers?.['node_id'], headers?.['project_id'], headers?.['connectionuse'], headers?.['sec-websocket-extensions']],
    ['edge-1', 'e632aba927ea4ac2b575ec1603d56f10', 'msg', undefined],
  )
  const [keepalive, insert] = cloud.received
  assert.deepEqual(keepalive?.route, {
    source: 'websocket',
    group: 'resource',
    operation: 'keepalive',
    resource: 'node',
  })
  assert.equal(keepalive?.content, 'ping')
  assert.deepEqual(insert?.route, { source: 'edged', group: 'meta', operation: 'insert', resource: NODE })
  const said = cloud.summary()
  const order = [`keepalive node`, `insert ${NODE}`, `query ${LEASE}`, `insert ${LEASE}`]
  assert.deepEqual(
    order.map((text) => said.indexOf(text)),
    order.map((text) => said.indexOf(text)).toSorted(ascending),
  )
  const labels: unknown = Reflect.get(Object(cloud.answers.objects.get(NODE)?.['metadata']), 'labels')
  assert.equal(Reflect.get(Object(labels), 'node-role.kubernetes.io/edge'), '')
  assert.deepEqual(cloud.strange, [])
})

test('a node that is known already patches its status as a text, and takes the answers with and without an error', async (t) => {
  const cloud = await OriginalCloud.start(t)
  cloud.answers.put(NODE, { metadata: { name: 'edge-1' }, status: {} })
  cloud.answers.put(LEASE, { metadata: { name: 'edge-1' }, spec: { holderIdentity: 'edge-1' } })
  const joined = await joinEdge(t, cloud.joinable)
  await joined.start()
  const isStatus = ({ route, content }: Frame) => {
    return route.resource === 'null/nodepatch/edge-1' && /"conditions":\[.*"type":"Ready"/.test(String(content))
  }
  const patch = await cloud.hears(isStatus, 'a patch of the conditions')
  assert.equal(patch.route.operation, 'patch')
  assert.equal(typeof patch.content, 'string')
  await cloud.hears(({ route }) => route.operation === 'update' && route.resource === LEASE, 'the lease renewed')
})

test('a conflict over the lease is got over', async (t) => {
  const clock = new FakeClock(systemClock.now())
  const { cloud } = await startBoth(t, { clock })
  await passing(cloud, clock, () => cloud.answers.objects.get(LEASE))
  cloud.answers.put(LEASE, cloud.answers.objects.get(LEASE) ?? {})
  cloud.answers.failures.set(`update ${LEASE}`, 'Conflict')
  const version = () => Reflect.get(Object(cloud.answers.objects.get(LEASE)?.['metadata']), 'resourceVersion')
  const before = version()
  await passing(cloud, clock, () => (version() === before ? undefined : true), 60)
})

test('keepalives come at once and each 15 s, leases each 10 s, and a session lasts for an hour', async (t) => {
  const clock = new FakeClock(systemClock.now())
  const { cloud } = await startBoth(t, { clock })
  await passing(cloud, clock, () => cloud.answers.objects.get(LEASE))
  cloud.forget()
  for (let passed = 0; passed < 3600; passed += 5) {
    await clock.advance(seconds(5))
    await roundTrip(cloud)
  }
  const count = (text: string) => cloud.summary().filter((line) => line === text).length
  assert.equal(cloud.dialled.length, 1)
  assert.ok(count('keepalive node') >= 239 && count('keepalive node') <= 241, `${count('keepalive node')} keepalives`)
  assert.ok(count(`update ${LEASE}`) >= 350 && count(`update ${LEASE}`) <= 362, `${count(`update ${LEASE}`)} leases`)
  assert.deepEqual(cloud.strange, [])
})

test('a cloud that falls silent is noticed within 45 s, and dialled again', async (t) => {
  const clock = new FakeClock(systemClock.now())
  const { cloud } = await startBoth(t, { clock })
  await passing(cloud, clock, () => cloud.answers.objects.get(LEASE))
  // Nothing comes back any more, not even pongs; no end of the connection is seen either.
  cloud.dialled[0]?.socket.pause()
  let passed = 0
  for (; cloud.dialled.length < 2 && passed < 120; passed++) {
    await clock.advance(seconds(1))
    await turn()
  }
  await cloud.until(() => cloud.dialled[1], 'another connection')
  assert.ok(passed <= 50, `noticed and dialled after ${passed} s`)
})

test('what could not be sent when the link broke is sent on the next one', async (t) => {
  const { cloud, edge } = await startBoth(t)
  await cloud.until(() => cloud.answers.objects.get(LEASE), 'the lease')
  const given = { model: pumpModel(), device: pumpDevice() }
  cloud.push('insert', 'default/devicemodel/pump', jsonOf(given.model), 'devicecontroller')
  cloud.push('insert', 'default/device/pump-1', jsonOf(given.device), 'devicecontroller')
  await eventually(() => edge.bus.get(assignedDevices, 'default/pump-1'))
  cloud.cut()
  setTwin(edge.bus, twinOf('pump-1', 42))
  const report = await cloud.hears(isTwin('42'), 'the twin')
  assert.equal(cloud.dialled.length, 2)
  assert.deepEqual(report.route, {
    source: 'twin',
    group: 'resource',
    operation: 'update',
    resource: 'device/default/pump-1/twin/edge_updated',
  })
})

test('messages of unknown groups, answers to nothing and rubbish leave the link as it is', async (t) => {
  const { cloud, edge } = await startBoth(t)
  await cloud.until(() => cloud.answers.objects.get(LEASE), 'the lease')
  for (const text of ['', '{', 'null', '{"header":{"msg_id":"x"}}', '{"header":{},"route":{},"content":{}}'])
    cloud.raw(text)
  cloud.tell({ source: 'edgecontroller', group: 'nobody', operation: 'insert', resource: 'a/b/c' }, {})
  cloud.tell({ source: 'taskmanager', group: 'taskmanager', operation: 'Check', resource: 'x/node/edge-1' }, {})
  const nobody = '99999999-9999-4999-8999-999999999999'
  cloud.tell({ source: 'edgecontroller', group: 'resource', operation: 'response', resource: 'a/pod/b' }, 'OK', nobody)
  cloud.tell({ source: 'cloudhub', group: 'resource', operation: 'frobnicate', resource: 'a/b/c' }, {})
  cloud.push('insert', 'default/devicemodel/pump', jsonOf(pumpModel()), 'devicecontroller')
  await cloud.until(() => cloud.records.get('uid-model'), 'the receipt of the model')
  assert.equal(cloud.dialled.length, 1)
  assert.equal(edge.hub.isConnected, true)
})

function isTwin(value: string): (frame: Frame) => boolean {
  return ({ route, content }) => route.source === 'twin' && JSON.stringify(content).includes(`"value":"${value}"`)
}

/** Lets virtual time pass until `read` finds something. */
async function passing<T>(cloud: OriginalCloud, clock: FakeClock, read: () => T | undefined, most = 10): Promise<T> {
  for (let passed = 0; passed < most; passed += 0.1) {
    const found = read()
    if (found !== undefined) return found
    await clock.advance(seconds(0.1))
    if (cloud.isConnected) await roundTrip(cloud)
    else await turn()
  }
  throw new Error(`nothing within ${most} s; heard ${cloud.summary().join(', ')}`)
}

/** What the edge sends has come, and what the cloud sends has been read. */
async function roundTrip(cloud: OriginalCloud): Promise<void> {
  for (let count = 0; count < 2; count++) await cloud.roundTrip()
}

function turn(): Promise<void> {
  return systemClock.sleep({ milliseconds: 2 })
}

function jsonOf(object: object): JsonObject {
  return JSON.parse(JSON.stringify(object))
}

function ascending(a: number, b: number): number {
  return a - b
}
