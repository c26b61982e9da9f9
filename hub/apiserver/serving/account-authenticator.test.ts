import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generateKeyPair } from '../../../platform/certificates/index.ts'
import { seconds } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { timestamp } from '../../kube/object/index.ts'
import type { ApiObject } from '../../kube/resource.ts'
import { ISSUER } from '../../serving/access/authentication.ts'
import { AccountTokens } from '../rest/account-tokens.ts'
import { accountAuthenticator } from './account-authenticator.ts'

async function setup() {
  const clock = new FakeClock()
  const { privateKeyPem } = await generateKeyPair()
  const tokens = new AccountTokens(privateKeyPem, clock)
  const objects = new Map<string, ApiObject>()
  const put = (resource: string, name: string, more: object = {}, metadata: object = {}) =>
    objects.set(`${resource} shop/${name}`, {
      ...{ apiVersion: 'v1', kind: 'Thing', ...more },
      metadata: { name, namespace: 'shop', uid: `uid-of-${name}`, ...metadata },
    })
  const get = (resource: string, key: string) => objects.get(`${resource} ${key}`)
  const authenticate = accountAuthenticator(tokens, { get }, clock)
  const to = (name: string) => ({ name, uid: `uid-of-${name}` })
  const issue = (bound: object = {}) =>
    tokens.issue({
      ...{ iss: ISSUER, sub: 'system:serviceaccount:shop:robot', aud: [ISSUER] },
      exp: clock.now() / 1000 + 3600,
      'kubernetes.io': { namespace: 'shop', serviceaccount: to('robot'), ...bound },
    })
  const isKnown = async (token: string) => (await authenticate(token, [ISSUER], AbortSignal.abort())) !== undefined
  put('/serviceaccounts', 'robot')
  return { clock, put, to, issue, isKnown }
}

test('a token ends a minute after its account was to go, though a finalizer holds the account', async () => {
  const { clock, put, issue, isKnown } = await setup()
  const token = issue()
  put('/serviceaccounts', 'robot', {}, { deletionTimestamp: timestamp(clock.now()), finalizers: ['acme.io/wait'] })
  assert.equal(await isKnown(token), true)
  await clock.advance(seconds(61))
  assert.equal(await isKnown(token), false)
})

test('a token of a pod lives through the grace period of the pod, and no longer', async () => {
  const { clock, put, to, issue, isKnown } = await setup()
  const end = { deletionTimestamp: timestamp(clock.now() + seconds(30).milliseconds), deletionGracePeriodSeconds: 30 }
  put('/pods', 'till', {}, end)
  const token = issue({ pod: to('till') })
  await clock.advance(seconds(89))
  assert.equal(await isKnown(token), true)
  await clock.advance(seconds(2))
  assert.equal(await isKnown(token), false)
})

test('a token of a Secret ends when the Secret holds another one', async () => {
  const { put, to, issue, isKnown } = await setup()
  const token = issue({ secret: to('robot-token') })
  const holding = (text: string) => put('/secrets', 'robot-token', { data: { token: btoa(text) } })
  holding(token)
  assert.equal(await isKnown(token), true)
  holding('another')
  assert.equal(await isKnown(token), false)
  put('/secrets', 'robot-token')
  assert.equal(await isKnown(token), false)
})
