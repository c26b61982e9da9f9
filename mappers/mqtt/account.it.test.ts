import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createInnerAccount } from '../../platform/bus/mqtt/index.ts'
import { startBroker } from '../../platform/bus/mqtt/testing/index.ts'
import { assignedDevices, mappersLoaded } from '../../schemas/index.ts'
import { runHost } from '../host/testing/running-host.ts'
import { mqttDevice } from './testing/hosted.ts'

for (const isolation of ['worker', 'process'] as const) {
  test(`the account on the broker of the node arrives in a mapper that runs apart (isolation ${isolation})`, async (t) => {
    const inner = createInnerAccount()
    const { broker } = await startBroker(t, { inner, anonymous: 'none' })
    await broker.eventBus.publish('home/a', 'fine', { retain: true })
    const url = `mqtt://127.0.0.1:${broker.port}`
    const lent = () => ({ url, username: inner.user, password: inner.password })
    const edge = await runHost(t, isolation, { broker: lent })
    edge.bus.set(assignedDevices, 'default/d', mqttDevice('d', {}, { v: { topic: 'home/a' } }))
    await edge.untilValue('v', (value) => value === 'fine')
    assert.equal(edge.bus.get(mappersLoaded, 'mqtt')?.state, 'running')
    assert.ok(!JSON.stringify(edge.log.lines).includes(inner.password))
  })
}
