import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLogger } from '../../../../platform/log/index.ts'
import { ms } from '../../../../platform/time/index.ts'
import { FakeClock } from '../../../../platform/time/testing/index.ts'
import { EVENTS } from '../../kubernetes/resources.ts'
import { FakeKubernetes } from '../../testing/fake-kubernetes.ts'
import { countingRandom, pumpDevice } from '../../testing/harness.ts'
import { createEventRecorder } from './event-recorder.ts'

const about = (name: string) => ({ ...pumpDevice(name), metadata: { name, namespace: 'default', uid: `uid-${name}` } })
const note = (message: string, reason = 'Offline') => ({ type: 'Warning' as const, reason, message })

function start(perSecond = 1000) {
  const [clock, kubernetes, stopping] = [new FakeClock(), new FakeKubernetes(), new AbortController()]
  const rate = { perSecond, burst: perSecond }
  const ports = { clock, kubernetes, random: countingRandom(), log: silentLogger, component: 'test', rate }
  const recorder = createEventRecorder(ports)
  const running = recorder.run(stopping.signal)
  return {
    ...{ clock, kubernetes, recorder },
    pass: (milliseconds: number) => clock.advance(ms(milliseconds)),
    async events() {
      const { items } = await kubernetes.list(EVENTS, {})
      return items.map((event) => [Reflect.get(event, 'message'), Reflect.get(event, 'count')])
    },
    async stop() {
      stopping.abort(new Error('stop'))
      await clock.advance(ms(1))
      await running
    },
  }
}

test('a repetition raises the counter of the Event that is there, once a minute at most, and none is lost', async () => {
  const world = start()
  for (let count = 0; count < 200; count++) {
    world.recorder.record(about('a'), note('gone'))
    await world.pass(1000)
  }
  await world.pass(60_000)
  assert.deepEqual(await world.events(), [['gone', 200]])
  assert.ok(world.kubernetes.writes.length <= 6, `${world.kubernetes.writes.length} writes`)
  await world.stop()
})

test('more different Events of one object than anybody reads are combined by their reason', async () => {
  const world = start()
  for (let count = 0; count < 500; count++) {
    world.recorder.record(about('a'), note(`at ${count}`, count % 2 === 0 ? 'Offline' : 'MapperCrashed'))
    await world.pass(100)
  }
  await world.pass(60_000)
  const events = await world.events()
  assert.equal(events.length, 12)
  assert.deepEqual(events.slice(10).sort(), [
    ['(combined with similar ones) at 498', 245],
    ['(combined with similar ones) at 499', 245],
  ])
  await world.stop()
})

test('the Events of all objects together keep to their rate, also those that are told once', async () => {
  const world = start(10)
  for (let count = 0; count < 300; count++) world.recorder.record(about(`d-${count}`), note('gone'))
  const once = world.recorder.recordOnce(about('d-0'), note('conflict'), 'id', new AbortController().signal)
  await world.pass(5000)
  await once
  const written = world.kubernetes.writes.length
  assert.ok(written >= 55 && written <= 62, `${written} in five seconds`)
  await world.pass(60_000)
  assert.equal((await world.events()).length, 301)
  await world.stop()
})

test('an API that is down gets them later, what waits is bounded, and what it refuses is let go', async () => {
  const world = start(100)
  world.kubernetes.fail('POST events', 503, 1e6)
  for (let count = 0; count < 3000; count++) world.recorder.record(about(`d-${count}`), note('gone'))
  await world.pass(3_600_000)
  assert.ok(world.kubernetes.writes.length < 200, `${world.kubernetes.writes.length} trials`)
  world.kubernetes.heal()
  await world.pass(120_000)
  assert.equal((await world.events()).length, 2000, 'the latest')
  world.kubernetes.fail('POST events', 403, 1)
  world.recorder.record(about('x'), note('one'))
  world.recorder.record(about('x'), note('two'))
  await world.pass(1000)
  assert.equal((await world.events()).length, 2001)
  await world.stop()
})

test('an Event that is gone after its time is made anew', async () => {
  const world = start()
  world.recorder.record(about('a'), note('gone'))
  await world.pass(1)
  const { items } = await world.kubernetes.list(EVENTS, {})
  await world.kubernetes.delete(EVENTS, { namespace: 'default', name: items[0]?.metadata.name ?? '' })
  await world.pass(61_000)
  for (let count = 0; count < 2; count++) {
    world.recorder.record(about('a'), note('gone'))
    await world.pass(61_000)
  }
  assert.equal((await world.events()).length, 1)
  await world.stop()
})
