import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parse } from 'yaml'
import { builtInMappers, loadMapper } from '../../mappers/host/index.ts'
import { protocolsPage } from './protocols.ts'
import { blocks, sampleTexts } from './sample-parts.ts'
import { schemaRows } from './schema-rows.ts'

describe('the reference of the protocols', () => {
  it('says of every key what it is for', async () => {
    const page = await protocolsPage()
    assert.match(page, /^\| `convert\.bits\.first` \| integer, 0 to 63 \| required \| Lowest bit/m)
    for (const source of builtInMappers) {
      const { deviceConfig, visitorConfig } = await loadMapper(source)
      for (const config of [deviceConfig, visitorConfig]) {
        for (const row of schemaRows(config.jsonSchema)) {
          assert.ok(page.includes(`\n${row}\n`), row)
          assert.match(row, /^\| `\S+` \| .+ \| .* \| \S.*\. \|$/, `${source.protocol}: no description`)
        }
      }
    }
    for (const [, text = ''] of page.matchAll(/```yaml\n([\s\S]*?)```/g)) assert.ok(parse(text))
  })

  it('takes its examples out of the samples as they are spelled there', () => {
    const pump = sampleTexts().find((sample) => sample.name === 'pump')
    assert.ok(pump)
    assert.equal(pump.protocol, 'modbus')
    assert.match(pump.device, /^protocol:\n {2}protocolName: modbus\n {2}configData:\n[\s\S]*# Milliseconds/)
    assert.doesNotMatch(pump.device, /stateReport/)
    assert.equal(pump.properties.length, 5)
    for (const text of pump.properties) assert.equal(Array.isArray(parse(text)), true)
    assert.deepEqual(blocks('a:\n  b:\n    c: 1\n\n    d: 2\n  e: 3\n  b: 4\n', 2, 'b:'), [
      'b:\n  c: 1\n\n  d: 2',
      'b: 4',
    ])
  })

  it('spells nested keys, lists, maps and choices', () => {
    const schema = {
      type: 'object',
      required: ['a', 'list'],
      properties: {
        a: {
          type: 'object',
          description: 'A.',
          properties: { b: { type: 'number', minimum: 0, description: 'B | C.' } },
        },
        list: { type: 'array', items: { type: 'object', properties: { c: { const: 'x', description: 'C.' } } } },
        map: { type: 'object', patternProperties: { '^.*$': { type: 'string' } }, description: 'M.' },
        either: {
          anyOf: [{ type: 'number' }, { type: 'string' }],
          default: '',
          description: 'E.',
          'x-aliases': ['or'],
        },
        word: {
          anyOf: [{ const: 'One' }, { const: 'Two' }],
          default: 'One',
          'x-values': { one: 'One', two: 'Two', '2': 'Two' },
        },
      },
    }
    assert.deepEqual(schemaRows(schema), [
      '| `a` | object | required | A. |',
      '| `a.b` | number, 0 or more |  | B \\| C. |',
      '| `list` | list of objects | required |  |',
      '| `list[].c` | `x` |  | C. |',
      '| `map` | object of strings |  | M. |',
      '| `either` | number or string | `""` | E. Also `or`. |',
      '| `word` | `One`, `Two` | `One` | `2` means `Two`. |',
    ])
  })
})
