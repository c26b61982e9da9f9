import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { it } from 'node:test'
import { openContractDoor } from '../host/running/contract-door.ts'
import { describeMapper } from './describe-mapper.ts'

openContractDoor()
for (const sample of ['mapper-acme-co2', 'mapper-acme-thermo']) {
  const folder = new URL(`../../samples/${sample}/`, import.meta.url)
  const { default: subject } = await import(new URL('conformance.js', folder).href)
  describeMapper(subject)

  it(`${sample} is at most thirty lines in one file`, async () => {
    const text = await readFile(new URL('index.js', folder), 'utf8')
    assert.ok(text.split('\n').filter((line) => line.trim() !== '').length <= 30)
  })
}
