import assert from 'node:assert/strict'
import { it } from 'node:test'
import { DataType, Variant, VariantArrayType } from 'node-opcua-client'
import { elementsIn, isOneElement, rangeProblem, refuseWhole } from './index-range.ts'

it('counts what a range takes in', () => {
  assert.deepEqual(['3', '0:4', '0:1,2', '0:1,0:2'].map(elementsIn), [1, 5, 2, 6])
  assert.deepEqual(['3', '1,2', '0:4', '0:1,2', undefined].map(isOneElement), [true, true, false, false, false])
})

it('refuses a range that is empty', () => {
  assert.deepEqual(
    ['4:0', '2:2', '0:1,3:2'].map((range) => rangeProblem(range)?.slice(-3)),
    ['4:0', '2:2', '3:2'],
  )
  assert.equal(rangeProblem('7'), undefined)
  assert.equal(rangeProblem('0:4,2'), undefined)
})

it('finds out a server that answers with the whole instead of the part', () => {
  const array = new Variant({ dataType: DataType.Int16, arrayType: VariantArrayType.Array, value: [1, 2, 3] })
  assert.throws(() => refuseWhole(array, '1'), /ignores indexRange: 3 elements came for 1;/)
  refuseWhole(array, '0:2')
  const text = new Variant({ dataType: DataType.String, value: 'abc' })
  assert.throws(() => refuseWhole(text, '0:1'), /ignores indexRange/)
  refuseWhole(new Variant({ dataType: DataType.Int16, value: 7 }), '0')
  refuseWhole(new Variant({ dataType: DataType.Null }), '0')
})
