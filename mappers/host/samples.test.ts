import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { parse } from 'yaml'
import { parseDevice, parseDeviceModel } from '../../hub/edge/parse-device.ts'
import { protocolOf } from '../../schemas/index.ts'
import modbus from '../modbus/index.ts'
import mqtt from '../mqtt/index.ts'
import { type AnyMapper, admit } from './admission/admission.ts'

const SAMPLES = new URL('../../samples/', import.meta.url)
const MAPPERS: ReadonlyMap<string, AnyMapper> = new Map<string, AnyMapper>([
  ['modbus', modbus],
  ['mqtt', mqtt],
])

describe('the samples', () => {
  const folders = readdirSync(SAMPLES, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  for (const { name } of folders) {
    it(`${name}: every property is where its mapper can find it`, () => {
      const read = (file: string) =>
        JSON.stringify(parse(readFileSync(new URL(`${name}/${file}.yaml`, SAMPLES), 'utf8')))
      const model = parseDeviceModel(read('model'))
      const device = parseDevice(read('device'))
      assert.ok(model && device)
      const mapper = MAPPERS.get(protocolOf(device, model) ?? '')
      assert.ok(mapper)
      const admission = admit(mapper, { device, model }, 1)
      assert.deepEqual(admission.refusals, [])
      assert.deepEqual(
        admission.plan?.properties.map((property) => property.model.name),
        model.spec.properties?.map((property) => property.name),
      )
    })
  }
})
