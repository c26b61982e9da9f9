import assert from 'node:assert/strict'
import { it } from 'node:test'
import { DataType, ExtensionObject, Variant } from 'node-opcua-client'
import { fromVariant } from './from-variant.ts'

/** As the library makes them for types that a server describes. */
class Recipe extends ExtensionObject {
  name = 'tea'
  amount = -1
  count = [0, 7]
  wide: readonly (readonly number[])[] = [
    [0xffff_ffff, 0xffff_ffff],
    [1, 0],
  ]
  pair = [3, 4]
}
Reflect.defineProperty(Recipe.prototype, 'schema', {
  get: () => ({
    name: 'Recipe',
    fields: [
      { name: 'name', fieldType: 'String' },
      { name: 'count', fieldType: 'Int64' },
      { name: 'wide', fieldType: 'Int64', isArray: true },
      { name: 'pair', fieldType: 'Int32', isArray: true },
    ],
  }),
})

it('writes a structure as JSON, with integers of 64 bits as texts', () => {
  const variant = new Variant({ dataType: DataType.ExtensionObject, value: new Recipe({}) })
  assert.deepEqual(JSON.parse(String(fromVariant(variant, 'STRING'))), {
    name: 'tea',
    amount: -1,
    count: '7',
    wide: ['-1', '4294967296'],
    pair: [3, 4],
  })
})
