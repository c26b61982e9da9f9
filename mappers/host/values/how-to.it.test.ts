import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { it } from 'node:test'
import { parse } from 'yaml'
import type { ModelProperty } from '../../../schemas/index.ts'
import { takeHostKeys } from './host-keys.ts'
import { planConversion } from './plan-conversion.ts'
import { knownUnits } from './units.ts'

const page = await readFile(new URL('../../../docs/how-to/scale-and-convert-values.md', import.meta.url), 'utf8')

it('the page on conversion lists every unit', () => {
  for (const { quantity, symbols } of knownUnits()) {
    const row = `| ${quantity} | ${symbols.map((symbol) => `\`${symbol}\``).join(' ')} |`
    assert.ok(page.includes(row), row)
  }
})

it('the examples of the page on conversion work as it says', () => {
  const properties: ModelProperty[] = [...page.matchAll(/```yaml\n(.*?)```/gs)].flatMap(([, text]) => parse(text ?? ''))
  assert.equal(properties.length, 3)
  const conversions = properties.map((property) => {
    const { keys, issues } = takeHostKeys(property.visitors?.configData ?? {})
    const planned = planConversion(property, keys.convert ?? {})
    assert.deepEqual([issues, planned.issues, planned.warnings], [[], [], []])
    return planned.conversion ?? assert.fail()
  })
  const [temperature, , mode] = conversions
  assert.deepEqual(temperature?.read(698), { ok: true, value: 21 })
  assert.deepEqual(temperature?.write('25'), { ok: true, value: 770 })
  assert.deepEqual(mode?.write('auto'), { ok: true, value: 2 })
})
