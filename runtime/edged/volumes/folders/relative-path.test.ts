import assert from 'node:assert/strict'
import { test } from 'node:test'
import { relativePath } from './relative-path.ts'

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
