import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkServing } from './serving.ts'
import { testAuthority, testIdentity } from './testing/index.ts'

const INVALID = { code: 'PLATFORM_CERTIFICATE_INVALID' }

test('what a server can be used with passes, with its chain and several authorities', async () => {
  const [one, other] = await Promise.all([testAuthority(), testAuthority()])
  const { cert, key } = await testIdentity(one, { commonName: 'server' }, ['serverAuth'])
  checkServing({ cert, key })
  checkServing({ cert: `${cert}\n${one.certificatePem}`, key, ca: `${one.certificatePem}\n${other.certificatePem}` })
})

test('files that are empty or not whole, as while they are written, do not pass', async () => {
  const authority = await testAuthority()
  const { cert, key, ca } = await testIdentity(authority, { commonName: 'server' }, ['serverAuth'])
  const whole = { cert, key, ca }
  for (const which of ['cert', 'key', 'ca'] as const) {
    const text = whole[which]
    for (const length of [0, 1, text.length / 2, text.length - 10]) {
      assert.throws(() => checkServing({ ...whole, [which]: text.slice(0, length) }), INVALID, `${which} ${length}`)
    }
  }
  const chain = `${cert}\n${ca}`
  assert.throws(() => checkServing({ cert: chain.slice(0, -100), key }), INVALID)
  assert.throws(() => checkServing({ cert, key, ca: 'nonsense' }), INVALID)
})

test('a key of another certificate does not pass', async () => {
  const authority = await testAuthority()
  const of = (commonName: string) => testIdentity(authority, { commonName }, ['serverAuth'])
  const [one, other] = [await of('one'), await of('other')]
  assert.throws(() => checkServing({ cert: one.cert, key: other.key }), INVALID)
})
