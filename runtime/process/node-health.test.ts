import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ModuleState } from '../../platform/lifecycle/index.ts'
import { nodeHealth } from './node-health.ts'

const module = (name: string, state: ModuleState['state'], more: Partial<ModuleState> = {}): ModuleState => ({
  name,
  state,
  sinceMs: 0,
  ...more,
})

test('a part that does not serve fails the node, one that waits is named, and the road itself is neither', () => {
  const health = nodeHealth([
    module('DeviceTwin', 'ready'),
    module('EventBus', 'restarting', { detail: 'the port is taken' }),
    module('MapperHost', 'starting'),
    module('ExternalBroker', 'ready', { pending: 'the MQTT broker' }),
    module('EdgeHub', 'restarting', { detail: 'x', pending: 'the cloud' }),
  ])
  assert.deepEqual(health.failing, ['EventBus is restarting: the port is taken', 'MapperHost is starting'])
  assert.deepEqual(health.waiting, ['ExternalBroker waits for the MQTT broker'])
})

test('a detail of any length is cut', () => {
  const [failing = ''] = nodeHealth([module('Store', 'failed', { detail: 'x'.repeat(5000) })]).failing
  assert.equal(failing.length, 200)
})
