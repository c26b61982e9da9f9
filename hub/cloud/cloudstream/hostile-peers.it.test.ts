import { test } from 'node:test'
import { answers, dialTls, standAttacks, standSlowPeers, type Target } from '../../../platform/http/testing/index.ts'
import { ForwardClock } from '../../../platform/time/testing/index.ts'
import { startStreamCloud } from '../testing/stream-cloud.ts'

test('hostile peers of the stream endpoint are refused, and callers of kubelets are answered meanwhile', async (t) => {
  const clock = new ForwardClock()
  const cloud = await startStreamCloud(t, { clock })
  const connect = () => dialTls(cloud.server.port, { ca: cloud.ca, servername: 'localhost' })
  const headers = ['Authorization: Bearer root']
  const request = { method: 'POST', path: '/exec/shop/till/app?command=ls', headers }
  const target: Target = {
    connect,
    request,
    tooLarge: [400, 404, 503],
    serves: () => answers({ connect, request }, 404),
  }
  await standAttacks(target)
  await standSlowPeers(target, { clock, body: undefined })
})
