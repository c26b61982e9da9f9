import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { testAuthority, testIdentity } from '../../../platform/certificates/testing/index.ts'
import { minutes, seconds, systemClock } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import type { JsonObject } from '../../../schemas/index.ts'
import { FakeKubernetes } from '../testing/fake-kubernetes.ts'
import { countingRandom } from '../testing/harness.ts'
import type { AccessAttributes } from './access.ts'
import type { CacheBounds } from './answer-cache.ts'
import { ClientAuthority } from './client-authority.ts'
import { createAccess } from './create-access.ts'

const live = new AbortController().signal
const wanted: AccessAttributes = {
  verb: 'get',
  resource: { group: '', version: 'v1', plural: 'nodes', subresource: 'proxy', name: 'edge-1' },
}
const ann = { username: 'ann', uid: 'u1', groups: ['ops'], extra: { scopes: ['a', 'b'] } }

function setup(bounds: Partial<CacheBounds> = {}) {
  const kubernetes = new FakeKubernetes()
  const clock = new FakeClock(systemClock.now())
  const authority = new ClientAuthority()
  const asked: (readonly [string, JsonObject])[] = []
  let answer: (kind: string, spec: JsonObject) => JsonObject = () => ({})
  kubernetes.answerReview = (kind, spec) => {
    asked.push([kind, spec])
    return answer(kind, spec)
  }
  return {
    ...{ kubernetes, clock, authority, asked },
    access: createAccess({ kubernetes, clock, authority, random: countingRandom() }, bounds),
    answers(next: typeof answer) {
      answer = next
    },
  }
}

test('a token is its owner’s for a minute, and asked for again after that', async () => {
  const { access, answers, asked, clock } = setup()
  answers((_kind, { token }) => (token === 'good' ? { authenticated: true, user: ann } : { authenticated: false }))
  const user = { name: 'ann', uid: 'u1', groups: ['ops', 'system:authenticated'], extra: { scopes: ['a', 'b'] } }
  assert.deepEqual(await access.authenticate({ token: 'good' }, live), user)
  assert.deepEqual(await access.authenticate({ token: 'good' }, live), user)
  assert.deepEqual(asked, [['TokenReview', { token: 'good' }]])
  answers(() => ({ authenticated: false, error: 'revoked' }))
  await clock.advance(seconds(59))
  assert.deepEqual(await access.authenticate({ token: 'good' }, live), user)
  await clock.advance(seconds(2))
  assert.equal(await access.authenticate({ token: 'good' }, live), undefined)
})

test('a token that ends sooner is believed to its end', async () => {
  const { access, answers, asked, clock } = setup()
  answers(() => ({ authenticated: true, user: ann }))
  const claims = Buffer.from(JSON.stringify({ exp: clock.now() / 1000 + 20 })).toString('base64url')
  await access.authenticate({ token: `h.${claims}.s` }, live)
  await clock.advance(seconds(19))
  await access.authenticate({ token: `h.${claims}.s` }, live)
  assert.equal(asked.length, 1)
  await clock.advance(seconds(2))
  await access.authenticate({ token: `h.${claims}.s` }, live)
  assert.equal(asked.length, 2)
})

test('nobody is somebody without credentials, with a token that is none, or by an answer that names nobody', async () => {
  const { access, answers, asked } = setup()
  assert.equal(await access.authenticate({}, live), undefined)
  assert.equal(await access.authenticate({ token: '' }, live), undefined)
  assert.equal(await access.authenticate({ token: 'x'.repeat(20_000) }, live), undefined)
  assert.equal(asked.length, 0)
  answers(() => ({ authenticated: true }))
  assert.equal(await access.authenticate({ token: 'a' }, live), undefined)
  answers(() => ({ authenticated: 'yes', user: ann }))
  assert.equal(await access.authenticate({ token: 'b' }, live), undefined)
})

test('rights are asked for with everything that is known of the user, and remembered: yes longer than no', async () => {
  const { access, answers, asked, clock } = setup()
  answers(() => ({ allowed: true, reason: 'by role' }))
  const user = { name: 'ann', uid: 'u1', groups: ['ops'], extra: { scopes: ['a'] } }
  assert.deepEqual(await access.authorize(user, wanted, live), { allowed: true, reason: 'by role' })
  const attributes = { verb: 'get', group: '', version: 'v1', resource: 'nodes', subresource: 'proxy', name: 'edge-1' }
  assert.deepEqual(asked, [
    [
      'SubjectAccessReview',
      { user: 'ann', uid: 'u1', groups: ['ops'], extra: { scopes: ['a'] }, resourceAttributes: attributes },
    ],
  ])
  answers(() => ({ allowed: true, denied: true }))
  const path = { verb: 'post', path: '/rules/one' }
  assert.equal((await access.authorize(user, path, live)).allowed, false)
  assert.deepEqual(asked.at(-1)?.[1]['nonResourceAttributes'], path)
  await clock.advance(seconds(11))
  await access.authorize(user, wanted, live)
  assert.equal(asked.length, 2)
  answers(() => ({ allowed: true }))
  assert.equal((await access.authorize(user, path, live)).allowed, true)
})

test('who asks for the same at the same time shares one question, and may leave without ending it', async () => {
  const { access, kubernetes, asked } = setup()
  const answered = Promise.withResolvers<JsonObject>()
  kubernetes.review = async (_type, spec) => {
    asked.push(['', spec])
    return await answered.promise
  }
  const leaving = new AbortController()
  const first = access.authenticate({ token: 't' }, leaving.signal)
  const second = access.authenticate({ token: 't' }, live)
  leaving.abort(new Error('gone'))
  await assert.rejects(first, /gone/)
  answered.resolve({ authenticated: true, user: ann })
  assert.equal((await second)?.name, 'ann')
  assert.equal(asked.length, 1)
})

test('an API that is silent, away or overrun lets nobody in, and is asked again', async () => {
  const { access, answers, kubernetes, clock } = setup({ atOnce: 2 })
  answers(() => ({ authenticated: true, user: ann }))
  kubernetes.fail('tokenreviews', 503)
  await assert.rejects(access.authenticate({ token: 't' }, live), { code: 'HUB_KUBERNETES_UNAVAILABLE' })
  assert.equal((await access.authenticate({ token: 't' }, live))?.name, 'ann')
  kubernetes.review = () => new Promise(() => undefined)
  const waiting = ['a', 'b'].map((token) => access.authenticate({ token }, live))
  await assert.rejects(access.authenticate({ token: 'c' }, live), { code: 'HUB_ACCESS_BUSY' })
  const late = Promise.all(waiting.map((each) => assert.rejects(each, { code: 'HUB_ACCESS_LATE' })))
  await clock.advance(seconds(10))
  await late
})

test('a flood of unknown tokens is remembered within bounds and pushes out no good one', async () => {
  const { access, answers, asked } = setup({ most: 10, atOnce: 1000 })
  answers((_kind, { token }) => (token === 'good' ? { authenticated: true, user: ann } : { authenticated: false }))
  await access.authenticate({ token: 'good' }, live)
  for (let index = 0; index < 100; index++) await access.authenticate({ token: `bad-${index}` }, live)
  await access.authenticate({ token: 'good' }, live)
  assert.equal(asked.length, 101)
  await access.authenticate({ token: 'bad-99' }, live)
  await access.authenticate({ token: 'bad-0' }, live)
  assert.equal(asked.length, 102)
})

test('a client certificate is its subject’s while it and a believed authority are in their time', async () => {
  const { access, authority, clock } = setup()
  const ca = await testAuthority({ commonName: 'one' })
  const other = await testAuthority({ commonName: 'one' })
  const subject = { commonName: 'kube-apiserver-kubelet-client', organizations: ['system:masters', 'a, b'] }
  const { cert } = await testIdentity(ca, subject, ['clientAuth'])
  const certificate = new X509Certificate(cert)
  assert.equal(await access.authenticate({ certificate }, live), undefined)
  authority.replace(`${other.certificatePem}\n# more\n${ca.certificatePem}`)
  const user = await access.authenticate({ certificate }, live)
  assert.deepEqual([user?.name, user?.groups], [subject.commonName, [...subject.organizations, 'system:authenticated']])
  authority.replace(other.certificatePem)
  assert.equal(await access.authenticate({ certificate }, live), undefined)
  authority.replace(ca.certificatePem)
  assert.ok(await access.authenticate({ certificate }, live))
  clock.jump(minutes(25 * 60))
  assert.equal(await access.authenticate({ certificate }, live), undefined)
})

test('a certificate that nobody believes does not keep a good token out', async () => {
  const { access, answers } = setup()
  const { cert } = await testIdentity(await testAuthority(), { commonName: 'x' }, ['clientAuth'])
  answers(() => ({ authenticated: true, user: ann }))
  const shown = { certificate: new X509Certificate(cert), token: 't' }
  assert.equal((await access.authenticate(shown, live))?.name, 'ann')
})
