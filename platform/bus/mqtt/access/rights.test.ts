import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { MqttClientConfig } from '../../../../schemas/config/index.ts'
import { TopicTree } from '../topic-tree.ts'
import { rightsOfAnonymous, rightsOfClient } from './rights.ts'
import { isOfEdge, overlap } from './topics.ts'

const DEVICE = '$hw/events/device/default/lamp'
const NODE = '$hw/events/node/edge-1'

test('nobody but the edge publishes what the edge says', () => {
  const edges = [
    `${DEVICE}/twin/update/result`,
    `${DEVICE}/twin/update/delta`,
    `${DEVICE}/twin/update/document`,
    `${DEVICE}/twin/cloud_updated`,
    `${DEVICE}/twin/get/result`,
    `${DEVICE}/state/update/result`,
    `${DEVICE}/updated`,
    `${NODE}/membership/get/result`,
    `${NODE}/membership/updated`,
    '$SYS/x/heartbeat',
    'twins/default/lamp',
    'twins/default/lamp/power',
    'twins/default/lamp/power/set/result',
  ]
  for (const topic of edges) assert.ok(isOfEdge(topic), topic)
  const clients = [`${DEVICE}/twin/update`, `${DEVICE}/state/get`, 'plant/result', '$hw/events/upload/x/result']
  for (const topic of [...clients, 'twins/default/lamp/power/set']) assert.ok(!isOfEdge(topic), topic)
})

test('anonymous: full may publish what clients say, read-only may only ask, none may nothing', () => {
  const [full, readOnly, none] = [rightsOfAnonymous('full'), rightsOfAnonymous('read-only'), rightsOfAnonymous('none')]
  const says = [`${DEVICE}/twin/update`, `${DEVICE}/state/update`, 'room/user/x', 'plant/result', 'x/get']
  const asks = [`${DEVICE}/twin/get`, `${DEVICE}/state/get`, `${NODE}/membership/get`]
  for (const topic of [...says, ...asks]) assert.equal(full.refusePublish(topic), undefined, topic)
  for (const topic of says) assert.notEqual(readOnly.refusePublish(topic), undefined, topic)
  for (const topic of asks) assert.equal(readOnly.refusePublish(topic), undefined, topic)
  for (const topic of asks) assert.notEqual(none.refusePublish(topic), undefined, topic)
  assert.deepEqual(
    [full, readOnly, none].map((rights) => [rights.mayHear(DEVICE), rights.maySubscribe('#')]),
    [
      [true, true],
      [true, true],
      [false, false],
    ],
  )
})

test('anonymous read-only does not hear which clients there are and what they subscribe to', () => {
  const [full, readOnly] = [rightsOfAnonymous('full'), rightsOfAnonymous('read-only')]
  for (const filter of ['$SYS/#', '$SYS/+/new/subscribes']) {
    assert.deepEqual([full.maySubscribe(filter), readOnly.maySubscribe(filter)], [true, false], filter)
  }
  assert.deepEqual(
    [full, readOnly].map((rights) => rights.mayHear('$SYS/x/new/clients')),
    [true, false],
  )
})

const TOPICS_OF_LAMP = {
  ask: [`${DEVICE}/twin/get`, `${DEVICE}/state/get`, '$hw/events/device/lamp/twin/get'],
  say: [`${DEVICE}/twin/update`, `${DEVICE}/state/update`, '$hw/events/device/lamp/twin/update'],
  set: ['twins/default/lamp/power/set'],
  call: [`${DEVICE}/method/call`, '$hw/events/device/lamp/method/call', 'twins/default/lamp/blink/call'],
}
const ELSEWHERE = [
  '$hw/events/device/default/lamp-2/twin/update',
  '$hw/events/device/other/lamp/twin/get',
  '$hw/events/device/lamp-2/twin/get',
  '$hw/events/device/default/lamp/twin/update/more',
  '$hw/events/device/default/lamp/nonsense',
  'twins/other/lamp/power/set',
  `${NODE}/membership/get`,
  'plant/a',
  '$SYS/x',
]

for (const [access, may, side] of [
  ['read', ['ask'], undefined],
  ['app', ['ask', 'say', 'set', 'call'], 'desired'],
  ['mapper', ['ask', 'say'], 'reported'],
  ['full', ['ask', 'say', 'set', 'call'], undefined],
] as const) {
  test(`access ${access} publishes ${may.join(', ')} on its twin, and nowhere else`, () => {
    const rights = rightsOfClient([entry({ access, twins: ['default/lamp'] })])
    for (const [kind, topics] of Object.entries(TOPICS_OF_LAMP)) {
      for (const topic of topics) {
        assert.equal(
          rights.refusePublish(topic) === undefined,
          may.some((each) => each === kind),
          topic,
        )
      }
    }
    for (const topic of ELSEWHERE) assert.notEqual(rights.refusePublish(topic), undefined, topic)
    assert.equal(rights.side(`${DEVICE}/twin/update`), side)
  })
}

test('a client hears of its twins and of nothing else, in every form of their topics', () => {
  const rights = rightsOfClient([entry({ twins: ['default/lamp', 'plant/*', 'site/press-*'] })])
  const heard = [
    `${DEVICE}/twin/update/delta`,
    `${DEVICE}/twin/get/result`,
    '$hw/events/device/lamp/twin/update/document',
    'twins/default/lamp',
    'twins/default/lamp/power',
    'twins/plant/any/speed/conflict',
    '$hw/events/device/site/press-7/state/update/result',
  ]
  for (const topic of heard) assert.ok(rights.mayHear(topic), topic)
  const silent = [
    '$hw/events/device/default/lamp-2/twin/update/delta',
    '$hw/events/device/press-7/twin/get/result',
    'twins/site/pump/speed',
    'twins/default',
    'twins',
    `${NODE}/membership/updated`,
    'plant/a',
  ]
  for (const topic of silent) assert.ok(!rights.mayHear(topic), topic)
})

test('without an entry a client may nothing', () => {
  const rights = rightsOfClient([])
  for (const topic of [...Object.values(TOPICS_OF_LAMP).flat(), ...ELSEWHERE]) {
    assert.notEqual(rights.refusePublish(topic), undefined, topic)
    assert.ok(!rights.mayHear(topic))
  }
  for (const filter of ['#', '$hw/#', 'twins/#', 'a']) assert.ok(!rights.maySubscribe(filter), filter)
})

test('filters open other topics, never those of devices; all twins bring the membership of the node', () => {
  const rights = rightsOfClient([entry({ publish: ['plant/+/set', '#'], subscribe: ['#', '$hw/#'] })])
  assert.equal(rights.refusePublish('plant/a/set'), undefined)
  assert.equal(rights.refusePublish('$hw/events/upload/x') === undefined, false)
  assert.ok(rights.mayHear('anything') && rights.mayHear(`${NODE}/membership/updated`))
  for (const topic of [`${DEVICE}/twin/update/delta`, 'twins/default/lamp']) assert.ok(!rights.mayHear(topic), topic)
  assert.notEqual(rights.refusePublish(`${DEVICE}/twin/get`), undefined)

  const all = rightsOfClient([entry({ twins: ['*/*'] })])
  assert.equal(all.refusePublish(`${NODE}/membership/get`), undefined)
  assert.ok(all.mayHear(`${NODE}/membership/updated`) && all.maySubscribe(`${NODE}/membership/get/result`))
  assert.ok(!all.mayHear('plant/a'))
})

test('entries of one name add up, twin by twin', () => {
  const rights = rightsOfClient([
    entry({ access: 'app', twins: ['default/*'] }),
    entry({ access: 'mapper', twins: ['default/lamp', 'plant/press'] }),
    entry({ access: 'read', twins: ['*/*'] }),
  ])
  assert.equal(rights.side(`${DEVICE}/twin/update`), undefined)
  assert.equal(rights.side('$hw/events/device/default/other/twin/update'), 'desired')
  assert.equal(rights.side('$hw/events/device/plant/press/twin/update'), 'reported')
  assert.notEqual(rights.refusePublish('twins/plant/press/speed/set'), undefined)
  assert.equal(rights.refusePublish('$hw/events/device/any/where/twin/get'), undefined)
})

test('a subscription that can bring nothing is refused, a wider one is not', () => {
  const rights = rightsOfClient([entry({ twins: ['default/lamp'], subscribe: ['plant/#'] })])
  const taken = ['$hw/events/device/+/+/twin/update/delta', '$hw/#', '#', '+/+', 'twins/+/lamp/power', `${DEVICE}/x`]
  for (const filter of [...taken, 'plant', '$hw/events/device/lamp/twin/get/result']) {
    assert.ok(rights.maySubscribe(filter), filter)
  }
  const refused = ['$hw/events/device/default/other/#', '$hw/events/node/#', 'twins/other/#', '$SYS/#', 'factory/+']
  for (const filter of refused) assert.ok(!rights.maySubscribe(filter), filter)
})

const level = fc.constantFrom('a', 'b', 'lamp', 'default', '$hw', 'events', 'device', 'twins', 'twin', 'get', 'result')
const topics = fc.array(level, { minLength: 1, maxLength: 6 }).map((levels) => levels.join('/'))
const filters = fc
  .tuple(fc.array(fc.oneof(level, fc.constant('+')), { minLength: 1, maxLength: 6 }), fc.boolean())
  .map(([levels, isOpen]) => (isOpen ? [...levels.slice(1), '#'] : levels).join('/'))

/** Some filter that matches the topic, by what it leaves open. */
const filterOf = (topic: string, wild: readonly boolean[], cut: number): string => {
  const levels = topic.split('/').map((name, at) => (wild[at] === true ? '+' : name))
  const filter = cut < levels.length ? [...levels.slice(0, cut), '#'] : levels
  return topic.startsWith('$') && /^[+#]/.test(filter[0] ?? '') ? topic : filter.join('/')
}
const opened = fc.tuple(fc.array(fc.boolean(), { maxLength: 6 }), fc.nat(7))

test('two filters overlap where some topic matches both', () => {
  fc.assert(
    fc.property(topics, opened, opened, (topic, one, other) => {
      const [left, right] = [filterOf(topic, ...one), filterOf(topic, ...other)]
      assert.ok(matches(left, topic) && matches(right, topic))
      assert.ok(overlap(left, right), `${left} ${right}`)
    }),
  )
})

test('what may be heard may be subscribed to, under each filter that matches it', () => {
  const names = fc.constantFrom('default', 'lamp', 'a', 'b', 'd*', 'l*', '*')
  const entries = fc.array(
    fc.record({
      name: fc.constant('x'),
      twins: fc.array(
        fc.tuple(names, names).map((pair) => pair.join('/')),
        { maxLength: 3 },
      ),
      access: fc.constantFrom('read', 'app', 'mapper', 'full'),
      publish: fc.array(filters, { maxLength: 2 }),
      subscribe: fc.array(filters, { maxLength: 2 }),
    }),
    { minLength: 1, maxLength: 3 },
  )
  const device = fc
    .tuple(fc.constantFrom('default/lamp', 'a/b', 'lamp', 'b/lamp'), fc.constantFrom('twin/get/result', 'updated', 'x'))
    .map((parts) => `$hw/events/device/${parts.join('/')}`)
  fc.assert(
    fc.property(entries, fc.oneof(topics, device), opened, (held, topic, open) => {
      const rights = rightsOfClient(held)
      if (!rights.mayHear(topic)) return
      for (const filter of [topic, filterOf(topic, ...open)]) assert.ok(rights.maySubscribe(filter), filter)
    }),
    { numRuns: 1000 },
  )
})

function entry(fields: Partial<MqttClientConfig>): MqttClientConfig {
  return { name: 'x', twins: [], access: 'read', publish: [], subscribe: [], ...fields }
}

function matches(filter: string, topic: string): boolean {
  const tree = new TopicTree<true>()
  tree.add(filter, true)
  return tree.match(topic).length > 0
}
