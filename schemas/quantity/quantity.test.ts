import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseQuantity, wholeOf } from './quantity.ts'

const cases: readonly (readonly [string | number, bigint | undefined])[] = [
  ['1', 1_000_000_000n],
  [2, 2_000_000_000n],
  [0.5, 500_000_000n],
  ['500m', 500_000_000n],
  ['1.5Gi', 1_610_612_736n * 1_000_000_000n],
  ['2Ki', 2048n * 1_000_000_000n],
  ['1e3', 1000n * 1_000_000_000n],
  ['1E', 1_000_000_000_000_000_000n * 1_000_000_000n],
  ['12E2', 1200n * 1_000_000_000n],
  ['1e-3', 1_000_000n],
  ['.5', 500_000_000n],
  ['5.', 5_000_000_000n],
  ['-100u', -100_000n],
  ['3n', 3n],
  ['0.1n', 1n],
  ['16Ei', (16n << 60n) * 1_000_000_000n],
  ['', undefined],
  ['.', undefined],
  ['1 Gi', undefined],
  ['1GiB', undefined],
  ['0x10', undefined],
  ['1e999', undefined],
  ['1'.repeat(65), undefined],
]

for (const [text, amount] of cases) {
  test(`${JSON.stringify(text).slice(0, 20)} is ${amount ?? 'no quantity'}`, () =>
    assert.equal(parseQuantity(text), amount))
}

test('amounts add up without loss, and are rounded up when counted in whole', () => {
  const sum = ['0.1', '0.2', '100m', '1n'].reduce((total, text) => total + (parseQuantity(text) ?? 0n), 0n)
  assert.equal(sum, 400_000_001n)
  assert.equal(wholeOf(sum), 1n)
})
