import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isPlainName, relativePath } from './relative-path.ts'

const paths: readonly (readonly [string, string | undefined])[] = [
  ['a', 'a'],
  ['a/b.txt', 'a/b.txt'],
  ['./a//b/', 'a/b'],
  ['..a', '..a'],
  ['a..', 'a..'],
  ['ä 日', 'ä 日'],
  ['', undefined],
  ['.', undefined],
  ['./', undefined],
  ['/a', undefined],
  ['..', undefined],
  ['../x', undefined],
  ['a/../b', undefined],
  ['a/..', undefined],
  ['a\0b', undefined],
  ['x'.repeat(255), 'x'.repeat(255)],
  ['x'.repeat(256), undefined],
  ['ä'.repeat(128), undefined],
  [Array(2000).fill('abc').join('/'), undefined],
]

for (const [path, plain] of paths) {
  test(`${JSON.stringify(path.slice(0, 20))} ${plain === undefined ? 'does not stay' : 'stays'} where it begins`, () =>
    assert.equal(relativePath(path), plain))
}

test('only a name that means nothing else to a file system is plain', () => {
  const names = ['u-1', 'a', '0', 'A.b_c', '', '.', '..', '.a', 'a.', 'a/b', 'a b', 'a\n', 'x'.repeat(254)]
  assert.deepEqual(names.filter(isPlainName), ['u-1', 'a', '0', 'A.b_c'])
})
