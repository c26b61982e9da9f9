import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentMetrics } from '../../../platform/health/index.ts'
import { silentLogger } from '../../../platform/log/index.ts'
import { openTestStore } from '../../../platform/store/testing/index.ts'
import { minutes, systemRandom } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { BUILTIN_DEFINITIONS } from '../../kube/builtin/index.ts'
import { timestamp } from '../../kube/object/index.ts'
import { Registry } from '../../serving/objects/registry.ts'
import { admissionChain } from '../admission/chain.ts'
import { objectConverter } from '../crds/conversion.ts'
import { installNamespaces } from '../namespaces.ts'
import { systemChange } from '../rest/context.ts'
import { createObject } from '../rest/create.ts'
import { kubernetesStore } from '../storage/domain.ts'
import { ObjectStore } from '../storage/object-store.ts'
import { eventExpiry } from './event-expiry.ts'

test('Events go an hour after they were last repeated', { timeout: 10_000 }, async (t) => {
  const clock = new FakeClock()
  const store = new ObjectStore({ store: await openTestStore(t, [kubernetesStore]), metrics: silentMetrics })
  await store.load()
  const registry = new Registry(BUILTIN_DEFINITIONS)
  const ground = { store, clock, random: systemRandom }
  const converter = objectConverter({ ...ground, metrics: silentMetrics })
  const api = { ...ground, registry, admitter: admissionChain([]), converter, log: silentLogger }
  const stop = new AbortController()
  await installNamespaces(api, stop.signal)
  const definition = registry.stored('/events')
  assert.ok(definition)
  const event = (name: string, lastTimestamp: string) =>
    createObject(api, systemChange(definition, 'default', stop.signal), {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name, namespace: 'default' },
      involvedObject: { kind: 'ConfigMap', name: 'a', namespace: 'default' },
      lastTimestamp,
    })
  await event('once', timestamp(clock.now()))
  await event('repeated', timestamp(clock.now() + minutes(30).milliseconds))
  const removed = new Promise<string>((resolve) => store.onChange((_resource, { key }) => resolve(key)))

  const running = eventExpiry({ api, metrics: silentMetrics }).run(stop.signal)
  await clock.advance(minutes(59))
  assert.equal(store.list('/events').length, 2)
  await clock.advance(minutes(2))
  assert.equal(await removed, 'default/once')
  assert.deepEqual(
    store.list('/events').map(([key]) => key),
    ['default/repeated'],
  )

  stop.abort(new Error('the test is over'))
  await assert.rejects(running, /the test is over/)
})
