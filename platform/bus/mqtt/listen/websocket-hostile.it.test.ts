import { test } from 'node:test'
import { answers, dial, standAttacks, type Target } from '../../../http/testing/index.ts'
import { startBroker } from '../testing/start-broker.ts'

test('hostile peers of MQTT over WebSocket are refused, and others are told how to come', async (t) => {
  const { broker } = await startBroker(t, { websocket: { host: '127.0.0.1', port: 0, tls: false, origins: [] } })
  const connect = () => dial({ host: '127.0.0.1', port: broker.ports.websocket ?? 0 })
  const request = { method: 'POST', path: '/mqtt' }
  const target: Target = { connect, request, tooLarge: [426], serves: () => answers({ connect, request }, 426) }
  await standAttacks(target)
})
