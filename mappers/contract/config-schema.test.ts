import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Type } from 'typebox'
import { configSchema } from './config-schema.ts'

const schema = configSchema(
  Type.Object({
    host: Type.String({ minLength: 1 }),
    port: Type.Integer({ default: 502, minimum: 1, maximum: 65535 }),
    quick: Type.Boolean({ default: false }),
    table: Type.Optional(Type.Union([Type.Literal('Coil'), Type.Literal('Holding')])),
  }),
  { aliases: { host: ['ip'] }, values: { table: { coil: 'Coil' } } },
)

describe('a config schema', () => {
  it('fills in defaults, converts quoted values, and freezes', () => {
    const parsed = schema.parse({ IP: 'plc', port: '5020', quick: 'true', TABLE: 'COIL', unknown: { any: [1] } })
    assert.deepEqual(parsed, { ok: true, value: { host: 'plc', port: 5020, quick: true, table: 'Coil' } })
    assert.ok(parsed.ok && Object.isFrozen(parsed.value))
  })

  it('prefers the own spelling of a key to an alias', () => {
    for (const input of [
      { ip: 'a', host: 'b' },
      { host: 'b', ip: 'a' },
    ]) {
      const parsed = schema.parse(input)
      assert.equal(parsed.ok && parsed.value.host, 'b')
    }
  })

  it('points at what is wrong in the spelling of its author', () => {
    const parsed = schema.parse({ IP: '', Port: 'x', table: 'Input' })
    assert.ok(!parsed.ok)
    assert.deepEqual(
      parsed.issues.map(({ pointer }) => pointer),
      ['/IP', '/Port', '/table'],
    )
    assert.equal(parsed.issues[2]?.message, 'must be one of Coil, Holding')
    assert.deepEqual(schema.parse({}), { ok: false, issues: [{ pointer: '/host', message: 'is required' }] })
    assert.equal(schema.parse('text').ok, false)
  })

  it('tells other spellings beside each key', () => {
    const { properties } = { properties: {}, ...schema.jsonSchema }
    assert.deepEqual(properties, {
      host: { minLength: 1, type: 'string', 'x-aliases': ['ip'] },
      port: { default: 502, minimum: 1, maximum: 65535, type: 'integer' },
      quick: { default: false, type: 'boolean' },
      table: {
        anyOf: [
          { const: 'Coil', type: 'string' },
          { const: 'Holding', type: 'string' },
        ],
        'x-values': { coil: 'Coil' },
      },
    })
  })

  it('leaves what it is given as it is, also deep inside', () => {
    const deep = configSchema(Type.Object({ list: Type.Record(Type.String(), Type.String()) }))
    const input = { list: { a: 1 } }
    assert.deepEqual(deep.parse(input), { ok: true, value: { list: { a: '1' } } })
    assert.deepEqual(input, { list: { a: 1 } })
    assert.ok(!Object.isFrozen(input.list))
  })

  it('reads the same text once, and never takes one text for another', () => {
    const first = schema.parse({ host: 'plc' })
    assert.equal(schema.parse({ host: 'plc' }), first)
    assert.notEqual(schema.parse({ host: 'plc', port: 503 }), first)
    assert.deepEqual(schema.parse({ host: 'plc', port: 0 }), schema.parse({ host: 'plc', port: 0 }))
  })
})
