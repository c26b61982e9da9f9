import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testAuthority, testIdentity } from '../../../platform/certificates/testing/index.ts'
import { answers, dialTls, standAttacks, standSlowPeers, type Target } from '../../../platform/http/testing/index.ts'
import { createScope } from '../../../platform/lifecycle/index.ts'
import { silentLogger as log } from '../../../platform/log/index.ts'
import { minutes, seconds } from '../../../platform/time/index.ts'
import { ForwardClock } from '../../../platform/time/testing/index.ts'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import { Door } from './for-pods/door.ts'
import { serveTestNode } from './testing/served-node.ts'

test('hostile peers of MetaServer are refused, and its operator is served meanwhile', async (t) => {
  const clock = new ForwardClock()
  const node = await serveTestNode({ clock })
  t.after(() => node.stop())
  const connect = () => dialTls(Number(new URL(node.url).port), { ca: node.people.ca })
  const headers = [`Authorization: Bearer ${node.people.token}`]
  const target: Target = {
    connect,
    request: { method: 'POST', path: '/api/v1/namespaces/shop/configmaps', headers },
    // It goes to the cloud, which is away.
    tooLarge: [403],
    serves: () => answers({ connect, request: { method: 'GET', path: '/version', headers } }, 200),
  }
  await standAttacks(target)
  await standSlowPeers(target, { clock, body: undefined })
})

test('hostile pods are refused at the door for pods', async (t) => {
  const clock = new ForwardClock()
  const onCrash = (error: unknown) => assert.ifError(error)
  const scope = createScope('door', { clock, log, deadline: seconds(5), onCrash })
  t.after(() => scope[Symbol.asyncDispose]())
  const causes: string[] = []
  const door = new Door(
    {
      ...{ host: '127.0.0.1', port: 0, folder: temporaryFolder(), name: 'pods', clock, log },
      onRefused: (cause) => causes.push(cause),
      answer: async ({ request, response }) => {
        for await (const _chunk of request);
        response.writeHead(request.url === '/taken' ? 200 : 404).end()
      },
    },
    scope,
  )
  const { key, cert } = await testIdentity(await testAuthority({ commonName: 'a' }), { commonName: 'b' }, [
    'serverAuth',
  ])
  const port = await door.open({ certificate: cert, privateKey: key })
  const connect = () => dialTls(port)
  const request = { method: 'POST', path: '/taken' }
  await standSlowPeers(
    { connect, request, serves: () => answers({ connect, request }, 200, 'ok') },
    { clock, body: minutes(1) },
  )
  assert.ok(causes.length === 6 && causes.every((cause) => cause === 'slow'), String(causes))
})
