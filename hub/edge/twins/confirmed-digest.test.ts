import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DIGEST_RESOURCE, type Frame, type Json } from '../../../schemas/index.ts'
import { createFrameFactory } from '../../link/index.ts'
import { countingRandom, type EdgeBench, setTwin, startEdge, twinOf } from '../testing/edge-bench.ts'
import { defaultAnswer } from '../testing/scripted-cloud.ts'

const digests = ({ cloud }: EdgeBench) => cloud.received.filter(({ route }) => route.resource === DIGEST_RESOURCE)
const devicesIn = (frame: Frame | undefined) => Reflect.get(Reflect.get(Object(frame?.content), 'skerry'), 'devices')

/** An edge with two devices that the cloud has confirmed, about to connect again. */
async function confirmed(isSkerry = true): Promise<EdgeBench> {
  const edge = await startEdge({ isSkerry })
  setTwin(edge.bus, twinOf('pump-1', 4))
  setTwin(edge.bus, twinOf('pump-2', 2, { state: 'offline' }))
  await edge.advance(10_000)
  edge.cloud.forget()
  return edge
}

async function reconnect(edge: EdgeBench, answer: (question: Frame) => Json | undefined): Promise<void> {
  const frames = createFrameFactory({ clock: edge.clock, random: countingRandom(9000) })
  edge.cloud.answers = (frame) => {
    if (frame.route.resource !== DIGEST_RESOURCE) return defaultAnswer(frames, frame)
    const content = answer(frame)
    return content === undefined ? undefined : frames.reply(frame, content, { group: 'twin' })
  }
  edge.dialer.pair?.cut('test')
  await edge.advance(3000)
}

test('after each connect the cloud is told what it has confirmed, with uid and revisions', async () => {
  const edge = await confirmed()
  await reconnect(edge, () => ({ skerry: { missing: [] } }))
  assert.deepEqual(devicesIn(digests(edge)[0]), [
    { id: 'default/pump-1', uid: 'uid-pump-1', twin: 4, state: 4, refusals: '' },
    { id: 'default/pump-2', uid: 'uid-pump-2', twin: 2, state: 2, refusals: '' },
  ])
  setTwin(edge.bus, twinOf('pump-1', 7))
  await edge.advance()
  edge.cloud.forget()
  await edge.stop()
  // What is confirmed is on disk; a value is no new state.
  const again = await startEdge({ after: edge, prepare: (bus) => setTwin(bus, twinOf('pump-1', 7)) })
  await again.advance(3000)
  assert.deepEqual(devicesIn(digests(again)[0])?.[0], {
    ...{ id: 'default/pump-1', uid: 'uid-pump-1', twin: 7, state: 4, refusals: '' },
  })
  await again.stop()
})

test('what the cloud lacks goes up again, once; what it makes up does nothing', async () => {
  const edge = await confirmed()
  await reconnect(edge, () => ({ skerry: { missing: ['default/pump-2', 'default/ghost', 7] } }))
  await edge.advance(60_000)
  assert.deepEqual(
    edge.cloud.reports().map(({ route }) => route.resource),
    ['device/default/pump-2/state/update', 'device/default/pump-2/twin/edge_updated'],
  )
  await edge.stop()
})

test('a cloud that does not answer, or not in this form, is asked again more and more rarely, and gets its reports meanwhile', async () => {
  for (const content of [undefined, 'OK', { skerry: {} }]) {
    const edge = await confirmed()
    await reconnect(edge, () => content)
    setTwin(edge.bus, twinOf('pump-1', 5))
    await edge.advance()
    assert.equal(edge.cloud.reports().length, 1)
    await edge.advance(600_000)
    const asked = digests(edge).length
    assert.ok(asked >= 5 && asked <= 25, `asked ${asked} times`)
    await edge.stop()
  }
})

test('an original cloud is asked nothing', async () => {
  const edge = await confirmed(false)
  edge.dialer.pair?.cut('test')
  await edge.advance(60_000)
  assert.deepEqual(digests(edge), [])
  await edge.stop()
})
