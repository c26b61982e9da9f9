import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { parse } from 'yaml'
import { parseDevice, parseDeviceModel } from '../../hub/edge/meta/parse-device.ts'
import { protocolOf } from '../../schemas/index.ts'
import { admit } from './admission/admission.ts'
import { builtInMappers, loadMapper } from './running/source.ts'

const SAMPLES = new URL('../../samples/', import.meta.url)

describe('the samples', () => {
  // A package of its own brings its mapper, and its test.
  const folders = readdirSync(SAMPLES, { withFileTypes: true }).filter(
    ({ name }) =>
      existsSync(new URL(`${name}/device.yaml`, SAMPLES)) && !existsSync(new URL(`${name}/package.json`, SAMPLES)),
  )
  for (const { name } of folders) {
    it(`${name}: every property is where its mapper can find it`, async () => {
      const read = (file: string) =>
        JSON.stringify(parse(readFileSync(new URL(`${name}/${file}.yaml`, SAMPLES), 'utf8')))
      const model = parseDeviceModel(read('model'))
      const device = parseDevice(read('device'))
      assert.ok(model && device)
      const protocol = protocolOf(device, model) ?? ''
      const source = builtInMappers.find((each) => each.protocol === protocol || each.aliases?.includes(protocol))
      assert.ok(source, `no mapper comes along for ${protocol}`)
      const mapper = await loadMapper(source)
      const admission = admit(mapper, { device, model }, 1)
      assert.deepEqual(admission.refusals, [])
      const { properties = [], callables = [] } = admission.plan ?? {}
      assert.deepEqual(
        [...properties, ...callables].map((property) => property.model.name).sort(),
        model.spec.properties?.map((property) => property.name).sort(),
      )
    })
  }
})
