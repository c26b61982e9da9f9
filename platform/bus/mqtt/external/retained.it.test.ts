import assert from 'node:assert/strict'
import { test } from 'node:test'
import { needs } from '../../../../tools/testing/needs.ts'
import type { RetainedView } from '../../event-bus.ts'
import { connectClient, startExternal, startMosquitto, until } from '../testing/index.ts'

const skip = needs('mosquitto')
const LAMP = 'twins/default/lamp'

test('a view is kept at the broker as retained messages, and follows what changes', {
  skip,
  timeout: 30_000,
}, async (t) => {
  const broker = await startMosquitto(t)
  const edge = await startExternal(t, broker)
  const truth = new Map([
    [LAMP, '{}'],
    [`${LAMP}/power`, '1'],
  ])
  for (let index = 0; index < 200; index++) truth.set(`twins/plant/d-${index}/x`, String(index))
  const view = edge.eventBus.view('twins', viewOf(truth))
  await edge.up()
  await until(() => view.hasWatchers)
  const client = await connectClient(t, broker)
  const found = new Map<string, string>()
  client.on('message', (topic, payload, { retain }) => {
    if (retain) found.set(topic, payload.toString())
  })
  await broker.logged(/Sending PUBACK to hub-client-pub/, 403)
  truth.set(`${LAMP}/power`, '2')
  view.show(`${LAMP}/power`, '2')
  truth.delete('twins/plant/d-7/x')
  view.show('twins/plant/d-7/x', '')
  // Both, and the marker of what is gone.
  await broker.logged(/Sending PUBACK to hub-client-pub/, 406)
  await client.subscribeAsync(['twins/#', '$skerry/#'], { qos: 0 })
  await until(() => found.size === truth.size + 200)
  const markers = [...found.keys()].filter((topic) => topic.startsWith('$skerry/'))
  assert.ok(markers.includes(`$skerry/edge/edge-1/shown/${LAMP}`) && !markers.some((topic) => topic.endsWith('d-7')))
  for (const marker of markers) found.delete(marker)
  assert.deepEqual(sorted(found), sorted(truth))
})

test('what an earlier life left is cleared; what other edges and clients keep there stays', {
  skip,
  timeout: 60_000,
}, async (t) => {
  const broker = await startMosquitto(t)
  const kept = await connectClient(t, broker)
  const others = {
    'twins/default/pump': 'of another edge',
    '$skerry/edge/edge-2/shown/twins/default/pump': '1',
    // Moved to the other edge while this one was down.
    '$skerry/edge/edge-1/shown/twins/default/pump': '1',
    'twins/default/lamp/power/set': 'a wish that somebody keeps',
    'twins/default/unmarked': 'of nobody',
    'shop/door': 'open',
  }
  for (const [topic, text] of Object.entries(others)) await kept.publishAsync(topic, text, { qos: 1, retain: true })

  const before = await startExternal(t, broker)
  const truth = new Map([
    [LAMP, '{}'],
    [`${LAMP}/power`, '1'],
    [`${LAMP}/speed`, '2'],
    ['twins/default/gone', '{}'],
    ['twins/default/gone/x', '3'],
  ])
  before.eventBus.view('twins', viewOf(truth))
  await before.up()
  await until(() =>
    /Received PUBLISH from hub-client-pub-\d+ \(d0, q1, r1, m\d+, 'twins\/default\/gone\/x'/.test(broker.log),
  )
  await before.stop()

  const after = await startExternal(t, broker)
  for (const topic of [`${LAMP}/speed`, 'twins/default/gone', 'twins/default/gone/x']) truth.delete(topic)
  after.eventBus.view('twins', viewOf(truth))
  await after.up()
  // Three messages and two markers.
  await until(() => after.cleared() === 5)
  const found = new Map<string, string>()
  const late = await connectClient(t, broker)
  late.on('message', (topic, payload, { retain }) => {
    if (retain) found.set(topic, payload.toString())
  })
  const { '$skerry/edge/edge-1/shown/twins/default/pump': _, ...stay } = others
  const expected = new Map([...Object.entries(stay), ...truth, [`$skerry/edge/edge-1/shown/${LAMP}`, '1']])
  await late.subscribeAsync(['#', '$skerry/#'], { qos: 0 })
  await until(() => found.size >= expected.size)
  assert.deepEqual(sorted(found), sorted(expected))
})

test('after a reconnect to a broker that has forgotten everything all of it is there again', {
  skip,
  timeout: 30_000,
}, async (t) => {
  const broker = await startMosquitto(t)
  const edge = await startExternal(t, broker)
  const truth = new Map([[`${LAMP}/power`, '1']])
  const view = edge.eventBus.view('twins', viewOf(truth))
  await broker.logged(/'twins\/default\/lamp\/power'/)
  await broker.kill()
  await until(() => !view.isWatched(LAMP))
  truth.set(`${LAMP}/power`, '2')
  view.show(`${LAMP}/power`, 'not sent')
  await broker.start()
  await broker.logged(/'twins\/default\/lamp\/power'/)
  const client = await connectClient(t, broker)
  let value = ''
  client.on('message', (_topic, payload) => {
    value = payload.toString()
  })
  await client.subscribeAsync(`${LAMP}/power`)
  await until(() => value !== '')
  assert.equal(value, '2')
})

test('without plainView nothing is kept there and nobody makes it', { skip, timeout: 30_000 }, async (t) => {
  const broker = await startMosquitto(t)
  const edge = await startExternal(t, broker, { plainView: false })
  const view = edge.eventBus.view('twins', viewOf(new Map([[LAMP, '{}']])))
  await edge.up()
  assert.ok(!view.hasWatchers && !view.isWatched(LAMP))
  view.show(LAMP, '{}')
  await edge.eventBus.publish('end', '')
  assert.ok(!broker.log.includes('twins/') && !broker.log.includes('$skerry'))
})

function viewOf(truth: ReadonlyMap<string, string>): RetainedView {
  return {
    async *messages(filter) {
      for (const topic of [...truth.keys()]) {
        const isBelow = filter.endsWith('/#') && `${topic}/`.startsWith(filter.slice(0, -1))
        if (filter !== '#' && filter !== topic && !isBelow) continue
        yield {
          topic,
          get payload() {
            return truth.get(topic) ?? ''
          },
        }
      }
    },
  }
}

function sorted(map: ReadonlyMap<string, string>): readonly (readonly [string, string])[] {
  return [...map].sort()
}
