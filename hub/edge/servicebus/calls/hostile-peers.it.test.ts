import { test } from 'node:test'
import { answers, dial, standAttacks, standSlowPeers, type Target } from '../../../../platform/http/testing/index.ts'
import { minutes } from '../../../../platform/time/index.ts'
import { startCalling } from '../testing/calling-edge.ts'

test('hostile applications of the machine are refused by ServiceBus, and others are answered meanwhile', async (t) => {
  const edge = await startCalling()
  t.after(() => edge.stop())
  const connect = () => dial({ host: '127.0.0.1', port: Number(new URL(edge.serviceBus.url ?? '').port) })
  const request = { method: 'POST', path: '/any' }
  const target: Target = { connect, request, serves: () => answers({ connect, request }, 200, '{}') }
  await standAttacks(target)
  await standSlowPeers(target, { clock: edge.clock, body: minutes(1) })
})
