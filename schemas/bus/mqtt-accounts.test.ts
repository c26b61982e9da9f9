import assert from 'node:assert/strict'
import { test } from 'node:test'
import { httpUserOf, podUser, userOfHttp } from './mqtt-accounts.ts'

test('the account of a pod has a name for HTTP without a colon, and others keep theirs', () => {
  const user = podUser({ namespace: 'shop', name: 'till', uid: 'u-1' })
  assert.equal(httpUserOf(user), 'pod/shop/till/u-1')
  assert.equal(userOfHttp(httpUserOf(user)), user)
  for (const name of ['anna', 'pod', 'pod/a', 'pod/a/b', 'pod/a/b/c/d', 'pods/a/b/c']) {
    assert.deepEqual([userOfHttp(name), httpUserOf(name)], [name, name])
  }
})
