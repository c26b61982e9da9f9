import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isPlainName, plainName } from './plain-name.ts'

test('only a name that means nothing else to a file system is plain', () => {
  const names = ['u-1', 'a', '0', 'A.b_c', '', '.', '..', '.a', 'a.', 'a/b', 'a b', 'a\n', 'x'.repeat(254)]
  assert.deepEqual(names.filter(isPlainName), ['u-1', 'a', '0', 'A.b_c'])
  assert.throws(() => plainName('../x'), { code: 'EDGED_NAME_NOT_PLAIN' })
})
