import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLocalBus } from '../../../platform/bus/index.ts'
import { RefusedError } from '../../../platform/lifecycle/index.ts'
import { silentLogger } from '../../../platform/log/index.ts'
import { systemClock } from '../../../platform/time/index.ts'
import { requestObject } from '../../../schemas/index.ts'
import { busObjects } from './bus-objects.ts'

test('what the cloud does not have is not there, and what it does not give is a failure', async () => {
  const bus = createLocalBus(systemClock, silentLogger)
  using _server = bus.serve(requestObject, async ({ resource }) => {
    const status = resource.endsWith('none') ? 404 : 403
    throw new RefusedError('The cloud could not answer the query', { code: 'HUB_QUERY_FAILED', fields: { status } })
  })
  const objects = busObjects(bus)
  assert.equal(await objects.configMap('shop', 'none'), undefined)
  await assert.rejects(objects.secret('shop', 'hidden'), { code: 'HUB_QUERY_FAILED' })
})
