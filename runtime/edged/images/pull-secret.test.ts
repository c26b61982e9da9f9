import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readPullSecret } from './pull-secret.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')
const secret = (entries: object | string) => ({
  type: 'kubernetes.io/dockerconfigjson',
  data: { '.dockerconfigjson': base64(typeof entries === 'string' ? entries : JSON.stringify({ auths: entries })) },
})

test('logins are read in each of their forms', () => {
  const logins = readPullSecret(
    secret({
      'a.io': { auth: base64('ann:p:w'), username: 'old', password: 'old' },
      'b.io': { username: 'bob', password: 'secret', email: 'b@b.io' },
      'c.io': { auth: base64('00000000-0000-0000-0000-000000000000:'), identitytoken: 'renewed' },
      'd.io': { registrytoken: 'bearer' },
      'e.io': {},
      'f.io': 'nothing',
    }),
  )
  assert.deepEqual(logins, [
    { place: 'a.io', auth: { username: 'ann', password: 'p:w' } },
    { place: 'b.io', auth: { username: 'bob', password: 'secret' } },
    { place: 'c.io', auth: { identityToken: 'renewed' } },
    { place: 'd.io', auth: { registryToken: 'bearer' } },
  ])
  const old = { type: 'kubernetes.io/dockercfg', data: { '.dockercfg': base64('{"a.io":{"auth":"YTpi"}}') } }
  assert.deepEqual(readPullSecret(old), [{ place: 'a.io', auth: { username: 'a', password: 'b' } }])
})

test('a secret that is no pull secret is told why, and nothing of it', () => {
  assert.match(String(readPullSecret({ data: {} })), /of type Opaque, not kubernetes.io\/dockerconfigjson/)
  assert.match(String(readPullSecret({ ...secret({}), data: {} })), /has no \.dockerconfigjson/)
  for (const text of ['{"auths": hunter2', '["hunter2"]', '"hunter2"'])
    assert.equal(readPullSecret(secret(text)), 'its .dockerconfigjson is not a JSON object')
  assert.deepEqual(readPullSecret(secret('{"credsStore":"desktop"}')), [])
})
