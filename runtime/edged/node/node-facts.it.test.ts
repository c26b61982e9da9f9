import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLocalBus } from '../../../platform/bus/index.ts'
import { silentLogger } from '../../../platform/log/index.ts'
import { seconds } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { nodeConditions, nodeRuntime } from '../../../schemas/index.ts'
import { measureStocks } from '../housekeeping/eviction-signals.ts'
import { needsContainerd, startContainerd, TEST_IMAGE } from '../testing/containerd.ts'
import { keepNodeFacts } from './node-facts.ts'

test('a Node tells of a real containerd, of its images and its network, and of what is left for pods', {
  skip: needsContainerd(),
  timeout: 180_000,
}, async (t) => {
  const containerd = await startContainerd({ subnet: '10.233.41.0/24' })
  t.after(() => containerd[Symbol.asyncDispose]())
  const { runtime, folder } = containerd
  const clock = new FakeClock()
  const bus = createLocalBus(clock, silentLogger)
  const stop = new AbortController()
  const told = Promise.withResolvers<void>()
  using _network = bus.watch(nodeConditions, ({ key, value }) => {
    if (key === 'ContainerNetworkReady' && value) told.resolve()
  })
  const ports = { bus, clock, runtime, endpoint: folder, log: silentLogger }
  const running = keepNodeFacts(ports, stop.signal)
  await told.promise
  const facts = bus.get(nodeRuntime, 'node')
  assert.match(facts?.version ?? '', /^containerd:\/\/\d+\.\d+/)
  assert.ok(facts?.images.some(({ names, bytes }) => names.includes(TEST_IMAGE) && bytes > 0))
  assert.equal(bus.get(nodeConditions, 'ContainerRuntimeReady')?.status, 'True')
  assert.equal(bus.get(nodeConditions, 'ContainerNetworkReady')?.status, 'True')
  const stocks = await measureStocks({ directory: folder, runtime }, stop.signal)
  assert.ok((stocks['nodefs.available']?.left ?? 0) > 0)
  stop.abort(new Error('over'))
  await clock.advance(seconds(10))
  await running
  assert.equal(bus.get(nodeRuntime, 'node'), undefined)
})
