import { test } from 'node:test'
import { answers, dialTls, standAttacks, standSlowPeers, type Target } from '../../../../platform/http/testing/index.ts'
import { silentLogger } from '../../../../platform/log/index.ts'
import { openStore } from '../../../../platform/store/index.ts'
import { seconds, systemClock } from '../../../../platform/time/index.ts'
import { ForwardClock } from '../../../../platform/time/testing/index.ts'
import { temporaryFolder } from '../../../../tools/testing/temporary-folder.ts'
import { startTlsCloud } from '../../testing/tls-cloud.ts'
import { routerStoreDomain } from '../upward/spool-store.ts'

const HOST = '127.0.0.1'

test('a replica that has gone mad is refused like anybody, and others are served', async (t) => {
  const clock = new ForwardClock()
  const ground = { clock: systemClock, log: silentLogger }
  const store = await openStore(`${temporaryFolder()}/router.db`, [routerStoreDomain], ground)
  const options = { host: HOST, port: 0, plainHttp: false, replicas: { host: HOST, port: 0, address: HOST } }
  const cloud = await startTlsCloud(t, { clock, router: { options, store } })
  t.after(() => store[Symbol.asyncDispose]())
  const { certificatePem: cert, keyPem: key } = await cloud.authority.issueReplica()
  const port = Number(cloud.router?.replica?.split(':')[1])
  const trust = { ca: cloud.authority.caPem, checkServerIdentity: () => undefined }
  const connect = () => dialTls(port, { ...trust, cert, key })
  const headers = [
    ...['X-Skerry-Hop: publish', 'X-Skerry-Node: edge-1', 'X-Skerry-Wait: delivered'],
    ...['X-Skerry-Deadline-Ms: 5000', 'X-Skerry-Max-Body-Bytes: 100'],
  ]
  const request = { method: 'POST', path: '/publish/lights%2Fcmd', headers }
  const target: Target = { connect, request, hasPaths: false, serves: () => answers({ connect, request }, 200, 'on') }
  await standAttacks(target)
  await standSlowPeers(target, { clock, head: seconds(5), body: seconds(15) })
})
