import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { minutes, seconds, systemClock } from '../../platform/time/index.ts'
import { FakeClock } from '../../platform/time/testing/index.ts'
import { asPerson } from './testing/people.ts'
import { ask, open } from './testing/request.ts'
import { serveTestApi } from './testing/serve.ts'
import { podAtKubelet, serveKubelet } from './testing/served-kubelet.ts'

const ACCOUNTS = '/api/v1/namespaces/default/serviceaccounts'
const RBAC = '/apis/rbac.authorization.k8s.io/v1'
const LOG = '/api/v1/namespaces/default/pods/web/log?follow=true'
const WATCH = '/api/v1/namespaces/default/pods?watch=true'

test('a watch and a log that is followed end within a minute when the account of their token is deleted', async (t) => {
  const { api, clock, token } = await setup(t)
  const headers = { authorization: `Bearer ${token}` }
  const [watch, log] = [
    await open(api, { path: WATCH, anonymous: true, headers }),
    await open(api, { path: LOG, anonymous: true, headers }),
  ]
  assert.deepEqual([watch.statusCode, log.statusCode], [200, 200])
  const ended = [watch, log].map((each) => {
    each.on('error', () => undefined).resume()
    return new Promise<void>((resolve) => each.once('close', resolve))
  })
  await clock.advance(minutes(2))
  assert.deepEqual([watch.closed, log.closed], [false, false])
  await ask(api, { method: 'DELETE', path: `${ACCOUNTS}/robot` })
  await clock.advance(minutes(1))
  await Promise.all(ended)
  assert.equal((await ask(api, { path: WATCH, anonymous: true, headers })).status, 401)
})

test('a right that is taken away ends no stream that is open, as in Kubernetes', async (t) => {
  const { api, clock, token } = await setup(t)
  const headers = { authorization: `Bearer ${token}` }
  const watch = await open(api, { path: WATCH, anonymous: true, headers })
  watch.on('error', () => undefined)
  await ask(api, { method: 'DELETE', path: `${RBAC}/clusterrolebindings/reads` })
  assert.equal((await ask(api, { path: WATCH, anonymous: true, headers })).status, 403)
  await clock.advance(minutes(3))
  const made = once(watch, 'data')
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'late' },
    spec: { containers: [{ name: 'main', image: 'x' }] },
  }
  await ask(api, { method: 'POST', path: '/api/v1/namespaces/default/pods', body: pod })
  await made
  watch.destroy()
})

test('with the end of a client certificate end the streams of its connection, and its requests', async (t) => {
  const { api, clock } = await setup(t)
  const jane = await asPerson(api, 'jane', ['system:masters'])
  const watch = await open(jane, { path: WATCH })
  assert.equal(watch.statusCode, 200)
  const ended = once(watch, 'close')
  watch.resume()
  await clock.advance(minutes(2))
  assert.equal(watch.closed, false)
  clock.jump(minutes(2 * 365 * 24 * 60))
  await clock.advance(minutes(1))
  await ended
  assert.equal((await ask(jane, { path: '/api/v1/nodes' })).status, 401)
})

/** An API in virtual time, a pod whose log goes on for ever, and a token of an account that may read pods. */
async function setup(t: TestContext) {
  const clock = new FakeClock(systemClock.now())
  const api = await serveTestApi(t, { clock })
  const kubelet = await serveKubelet(t, api, {
    command: async () => 0,
    answer: (_request, response) => void response.write('a line\n'),
  })
  await podAtKubelet(api, kubelet.port)
  const post = (path: string, body: object) => ask(api, { method: 'POST', path, body })
  await post(ACCOUNTS, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'robot' } })
  const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 7200 } }
  const issued = await post(`${ACCOUNTS}/robot/token`, request)
  await post(`${RBAC}/clusterrolebindings`, {
    metadata: { name: 'reads' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
    subjects: [{ kind: 'ServiceAccount', name: 'robot', namespace: 'default' }],
  })
  await clock.advance(seconds(1))
  return { api, clock, token: String(Object(issued.json).status.token) }
}
