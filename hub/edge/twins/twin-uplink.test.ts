import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Conflict, type Desired, deviceRefusals, type Frame, type Json, twins } from '../../../schemas/index.ts'
import { type EdgeBench, setTwin, startEdge, twinOf } from '../testing/edge-bench.ts'

const kinds = (edge: EdgeBench) =>
  edge.cloud.reports().map(({ route }) => route.resource?.split('/').slice(2).join('/'))
const TWIN = 'pump-1/twin/edge_updated'
const STATE = 'pump-1/state/update'
const SPEED = { type: 'int', declared: true, optional: false, writable: true }
const REFUSAL = { generation: 1, pointer: '/spec', message: 'no such register' }

function contentOf(frame: Frame | undefined): { readonly [key: string]: Json } {
  const content: Json = typeof frame?.content === 'string' ? JSON.parse(frame.content) : (frame?.content ?? null)
  return typeof content === 'object' && content !== null && !Array.isArray(content) ? Object(content) : {}
}

test('a twin goes up in KubeEdge’s form, with the skerry keys between Skerry peers', async () => {
  const edge = await startEdge()
  setTwin(edge.bus, twinOf('pump-1', 3))
  await edge.advance()
  assert.deepEqual(kinds(edge), [STATE, TWIN])
  const [state, twin] = edge.cloud.reports()
  assert.equal(typeof state?.content, 'string')
  const { event_id, ...rest } = contentOf(twin)
  assert.match(String(event_id), /^[0-9a-f-]{36}$/)
  assert.deepEqual(rest, {
    timestamp: twin?.header.timestamp,
    twin: {
      speed: {
        optional: false,
        metadata: { type: 'int' },
        actual: { value: '3', metadata: { timestamp: 7 } },
        actual_version: { cloud: 1, edge: 3 },
      },
    },
    skerry: {
      uid: 'uid-pump-1',
      generation: 1,
      revision: 3,
      state: { state: 'online' },
      properties: { speed: { quality: 'good', sourceTime: 6 } },
    },
  })
  await edge.stop()
})

test('a stale value goes up with its time to live and since when, and not to a cloud of KubeEdge’s', async () => {
  for (const skerry of [true, false]) {
    const edge = await startEdge({ isSkerry: skerry })
    const twin = twinOf('pump-1', 3)
    const { speed } = twin.properties
    assert.ok(speed?.reported)
    const reported = { ...speed.reported, stale: true as const, staleSince: 9, confirmed: 8 }
    setTwin(edge.bus, { ...twin, properties: { speed: { ...speed, timeToLive: 1000, reported } } })
    await edge.advance()
    const content = JSON.stringify(edge.cloud.reports().at(-1)?.content)
    const extra = '"speed":{"quality":"good","sourceTime":6,"timeToLive":1000,"stale":true,"staleSince":9}'
    assert.deepEqual([content.includes(extra), content.includes('stale')], [skerry, skerry])
    await edge.stop()
  }
})

test('a property that could never be read goes up without a value, with the cause', async () => {
  const edge = await startEdge()
  const twin = twinOf('pump-1', 3)
  const { reported: _, ...speed } = twin.properties['speed'] ?? assert.fail()
  const unread = { cause: 'no such register', timestamp: 9 }
  setTwin(edge.bus, { ...twin, properties: { speed: { ...speed, unread } } })
  await edge.advance()
  const content = JSON.stringify(edge.cloud.reports().at(-1)?.content)
  assert.ok(content.includes('"speed":{"quality":"bad","cause":"no such register"}'), content)
  assert.ok(!content.includes('"actual"'))
  await edge.stop()
})

test('a conflict goes up with both sides, and with those that are over', async () => {
  const edge = await startEdge()
  const wish = { value: '5', timestamp: 1, author: 'mqtt:panel' }
  const conflict: Conflict = {
    ...{ id: 'c-1', winner: 'edge', policy: 'EdgeWins', edge: wish },
    cloud: { ...wish, author: 'kubectl', generation: 2 },
  }
  const twin = twinOf('pump-1', 3)
  const desired: Desired = {
    value: '5',
    timestamp: 1,
    version: { cloud: 1, edge: 4 },
    origin: 'edge',
    author: 'mqtt:panel',
  }
  const speed = { ...twin.properties['speed'], desired, conflict, pastConflicts: [{ ...conflict, id: 'c-0' }] }
  setTwin(edge.bus, { ...twin, properties: { speed: { ...SPEED, ...speed } } })
  await edge.advance()
  const properties = Object(skerryOf(edge.cloud.reports()[1])['properties'])
  assert.deepEqual([properties.speed.author, properties.speed.conflict], ['mqtt:panel', conflict])
  assert.deepEqual(properties.speed.pastConflicts, [{ ...conflict, id: 'c-0' }])
  await edge.stop()
})

test('an original peer sees nothing that KubeEdge does not write', async () => {
  const edge = await startEdge({ isSkerry: false })
  edge.bus.set(deviceRefusals, 'default/pump-1', [REFUSAL])
  setTwin(edge.bus, twinOf('pump-1', 3, { state: 'offline', stateReason: 'no route', lastOnlineTime: 'T' }))
  await edge.advance(100)
  const [state, twin] = edge.cloud.reports()
  assert.deepEqual(contentOf(state)['device'], { name: 'pump-1', state: 'offline', lastOnlineTime: 'T' })
  for (const frame of [state, twin]) assert.equal('skerry' in contentOf(frame), false)
  await edge.stop()
})

test('a device that waits after a failure leaves no timer behind when the edge stops', async () => {
  const edge = await startEdge()
  const usual = edge.cloud.answers
  edge.cloud.answers = (frame) => {
    const answer = usual(frame)
    return answer && frame.route.source === 'twin'
      ? { ...answer, route: { ...answer.route, operation: 'error' } }
      : answer
  }
  setTwin(edge.bus, twinOf('pump-1', 1))
  await edge.advance(30_000)
  assert.equal(edge.hub.status().twinsWaiting, 1)
  await edge.stop()
  assert.equal(edge.clock.waiting, 0)
})

test('while one is under way changes are coalesced into one, which has the latest', async () => {
  const edge = await startEdge()
  setTwin(edge.bus, twinOf('pump-1', 1))
  for (let revision = 2; revision < 50; revision++) setTwin(edge.bus, twinOf('pump-1', revision))
  await edge.advance()
  assert.deepEqual(kinds(edge), [STATE, TWIN, TWIN])
  assert.equal(skerryOf(edge.cloud.reports().at(-1))['revision'], 49)
  await edge.stop()
})

test('a state goes up when it changes, not with each value', async () => {
  const edge = await startEdge()
  setTwin(edge.bus, twinOf('pump-1', 1))
  await edge.advance()
  setTwin(edge.bus, twinOf('pump-1', 2))
  await edge.advance()
  setTwin(edge.bus, twinOf('pump-1', 3, { state: 'offline', stateReason: 'no route' }))
  await edge.advance()
  assert.deepEqual(kinds(edge), [STATE, TWIN, TWIN, STATE, TWIN])
  const crash = { stateReason: 'mapper x crashed: y', stateCode: 'MapperCrashed' }
  setTwin(edge.bus, twinOf('pump-1', 4, { state: 'unknown', ...crash }))
  await edge.advance()
  const state = edge.cloud.reports().at(-2)
  assert.deepEqual(skerryOf(state), {
    uid: 'uid-pump-1',
    revision: 4,
    reason: 'mapper x crashed: y',
    code: 'MapperCrashed',
  })
  await edge.stop()
})

test('neither a reconnect nor a restart sends again what is confirmed', async () => {
  const first = await startEdge()
  setTwin(first.bus, twinOf('pump-1', 1))
  await first.advance()
  first.dialer.pair?.cut('the cable')
  await first.advance(2000)
  assert.equal(first.cloud.reports().length, 2)
  await first.stop()
  const second = await startEdge({ after: first, prepare: (bus) => setTwin(bus, twinOf('pump-1', 1)) })
  await second.advance(60_000)
  assert.equal(second.cloud.reports().length, 2)
  setTwin(second.bus, twinOf('pump-1', 2))
  await second.advance()
  assert.equal(second.cloud.reports().length, 3)
  await second.stop()
})

test('what changed offline goes up once, as it is in the end', async () => {
  const edge = await startEdge({ isReachable: false })
  for (let revision = 1; revision < 100; revision++) setTwin(edge.bus, twinOf('pump-1', revision))
  edge.dialer.isReachable = true
  await edge.advance(30_000)
  assert.deepEqual(kinds(edge), [STATE, TWIN])
  assert.equal(skerryOf(edge.cloud.reports()[1])['revision'], 99)
  await edge.stop()
})

test('what was not confirmed when the link went goes up again', async () => {
  const edge = await startEdge()
  const confirm = edge.cloud.answers
  edge.cloud.answers = () => undefined
  setTwin(edge.bus, twinOf('pump-1', 1))
  await edge.advance()
  edge.dialer.pair?.cut('the cable')
  edge.cloud.answers = confirm
  await edge.advance(2000)
  assert.deepEqual(kinds(edge), [STATE, TWIN, STATE, TWIN])
  await edge.advance(60_000)
  assert.equal(edge.cloud.reports().length, 4)
  await edge.stop()
})

test('a device that the cloud never confirms is tried ever more rarely and delays no other', async () => {
  const edge = await startEdge()
  const confirm = edge.cloud.answers
  edge.cloud.answers = (frame) => (frame.route.resource?.includes('/dead-') ? undefined : confirm(frame))
  for (let count = 0; count < 300; count++) setTwin(edge.bus, twinOf(`dead-${count}`, 1))
  setTwin(edge.bus, twinOf('pump-1', 1))
  await edge.advance(25_000)
  assert.deepEqual(
    kinds(edge).filter((kind) => kind === TWIN || kind === STATE),
    [STATE, TWIN],
  )
  edge.cloud.forget()
  await edge.advance(300_000)
  const tries = edge.cloud.reports().filter(({ route }) => route.resource?.includes('/dead-7/')).length / 2
  assert.ok(tries >= 3 && tries <= 8, `${tries} tries in five minutes`)
  await edge.stop()
})

test('a device made again is sent at once, though its predecessor was never confirmed', async () => {
  const edge = await startEdge()
  const confirm = edge.cloud.answers
  edge.cloud.answers = () => undefined
  setTwin(edge.bus, twinOf('pump-1', 1))
  await edge.advance(300_000)
  edge.cloud.forget()
  edge.cloud.answers = confirm
  edge.bus.remove(twins, 'default/pump-1')
  setTwin(edge.bus, twinOf('pump-1', 1, { uid: 'uid-new' }))
  await edge.advance(21_000)
  assert.equal(skerryOf(edge.cloud.reports().at(-1))['uid'], 'uid-new')
  await edge.stop()
})

test('a confirmation of a device that is gone leaves no mark behind', async () => {
  const edge = await startEdge()
  edge.cloud.answers = () => undefined
  setTwin(edge.bus, twinOf('pump-1', 1))
  await edge.advance()
  const sent = edge.cloud.reports()
  edge.bus.remove(twins, 'default/pump-1')
  for (const frame of sent) {
    await edge.dialer.pair?.cloud.send({
      header: { msg_id: `r-${frame.header.msg_id}`, parent_msg_id: frame.header.msg_id, timestamp: 1 },
      route: { source: 'devicecontroller', group: 'twin', operation: 'response', resource: 'twin' },
      content: 'OK',
    })
  }
  await edge.advance()
  assert.deepEqual(await edge.store.read({ statement: 'meta.marks', parameters: [] }), [])
  await edge.stop()
})

test('marks that cannot be written cost a repetition after a restart, and nothing else', async () => {
  const first = await startEdge()
  first.store.failure = 'disk full'
  setTwin(first.bus, twinOf('pump-1', 1))
  await first.advance()
  setTwin(first.bus, twinOf('pump-1', 2))
  await first.advance()
  assert.deepEqual(kinds(first), [STATE, TWIN, TWIN])
  await first.stop()
  const second = await startEdge({ after: first, prepare: (bus) => setTwin(bus, twinOf('pump-1', 2)) })
  await second.advance()
  assert.deepEqual(kinds(second), [STATE, TWIN, TWIN, STATE, TWIN])
  await second.stop()
})

test('what a mapper refuses or warns of goes up without a change of the twin, refusals first', async () => {
  const edge = await startEdge()
  setTwin(edge.bus, twinOf('pump-1', 1))
  await edge.advance()
  edge.bus.set(deviceRefusals, 'default/pump-1', [{ ...REFUSAL, warning: true }])
  await edge.advance()
  const refusal = { pointer: '/spec', message: REFUSAL.message }
  const refusals = () => skerryOf(edge.cloud.reports().at(-1))['refusals']
  assert.deepEqual(refusals(), [{ ...refusal, warning: true }])
  const warnings = Array.from({ length: 30 }, () => ({ ...REFUSAL, warning: true }))
  edge.bus.set(deviceRefusals, 'default/pump-1', [...warnings, REFUSAL])
  await edge.advance()
  const sent = refusals()
  assert.ok(Array.isArray(sent))
  assert.deepEqual([sent.length, sent[0], sent[1]], [20, refusal, { ...refusal, warning: true }])
  await edge.stop()
})

test('silence of a mapper just after a start does not take a refusal back; later it does', async () => {
  const first = await startEdge()
  first.bus.set(deviceRefusals, 'default/pump-1', [REFUSAL])
  setTwin(first.bus, twinOf('pump-1', 1))
  await first.advance()
  await first.stop()
  const second = await startEdge({ after: first, prepare: (bus) => setTwin(bus, twinOf('pump-1', 2)) })
  await second.advance(5000)
  assert.ok(skerryOf(second.cloud.reports().at(-1))['refusals'])
  await second.advance(10_000)
  assert.equal(skerryOf(second.cloud.reports().at(-1))['refusals'], undefined)
  await second.stop()
})

function skerryOf(frame: Frame | undefined): { readonly [key: string]: Json } {
  const skerry = contentOf(frame)['skerry']
  return typeof skerry === 'object' && skerry !== null && !Array.isArray(skerry) ? Object(skerry) : {}
}
