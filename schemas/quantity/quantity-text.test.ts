import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json } from '../device/index.ts'
import { quantityText } from './quantity-text.ts'

test('an amount is written in one way, in the units of its author', () => {
  const cases: readonly (readonly [Json, string])[] = [
    ['1000m', '1'],
    [0.5, '500m'],
    ['0', '0'],
    ['1500M', '1500M'],
    [2_000_000_000, '2G'],
    [1_048_576, '1048576'],
    ['1.5Gi', '1536Mi'],
    ['1024Ki', '1Mi'],
    ['0.5Ki', '512'],
    ['1.0001Ki', '1024102400u'],
    ['10e2', '1e3'],
    ['100n', '100n'],
    ['-1000m', '-1000m'],
    ['much', 'much'],
    ['10000E', '10000E'],
  ]
  for (const [value, text] of cases) assert.equal(quantityText(value), text, String(value))
  assert.equal(quantityText('100n', 1_000_000n), '1m')
})
