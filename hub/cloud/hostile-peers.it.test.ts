import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createMetrics } from '../../platform/health/index.ts'
import { answers, dialTls, standAttacks, standSlowPeers, type TakenRequest } from '../../platform/http/testing/index.ts'
import { minutes, seconds } from '../../platform/time/index.ts'
import { ForwardClock } from '../../platform/time/testing/index.ts'
import { join, startTlsCloud } from './testing/tls-cloud.ts'

interface Listener {
  readonly name: string
  readonly request: TakenRequest
  /** Of a request that is in order, or as much in order as a request without upgrade can be. */
  readonly status: number
  readonly body?: string
  readonly tooLarge?: readonly number[]
  readonly slowBody?: boolean
}

const LISTENERS: readonly Listener[] = [
  { name: 'cloudhub', request: { method: 'POST', path: '/e632/edge-1/events' }, status: 426, tooLarge: [426] },
  { name: 'tunnel', request: { method: 'POST', path: '/v1/kubeedge/connect' }, status: 426, tooLarge: [426] },
  { name: 'certificates', request: { method: 'POST', path: '/edge.crt' }, status: 405, tooLarge: [405] },
  { name: 'admission', request: { method: 'POST', path: '/validate' }, status: 400, body: '{}', slowBody: true },
]

describe('hostile peers of the cloud half are refused, and nodes are served meanwhile:', () => {
  for (const { name, request, status, body = '', tooLarge, slowBody = false } of LISTENERS) {
    test(name, async (t) => {
      const clock = new ForwardClock()
      const metrics = createMetrics()
      const cloud = await startTlsCloud(t, { clock, metrics, cloudstream: { tunnel: true } })
      const identity = await join(cloud, 'edge-1')
      const ports: Readonly<Record<string, number | undefined>> = {
        ...{ cloudhub: cloud.cloudhub.port, tunnel: cloud.tunnel?.port },
        ...{ certificates: cloud.certificates.port, admission: cloud.admission.port },
      }
      const connect = () => dialTls(ports[name] ?? 0, { ca: cloud.authority.caPem, ...identity })
      const target = { connect, request, serves: () => answers({ connect, request }, status, body) }
      await standAttacks({ ...target, ...(tooLarge ? { tooLarge } : {}) })
      const within = slowBody ? minutes(1) : undefined
      await standSlowPeers(target, { clock, head: seconds(10), body: within })
      const refused = new RegExp(`skerry_http_refused_total\\{server="${name}",cause="malformed"\\} [1-9]`)
      assert.match(await metrics.text(), refused)
    })
  }
})
