import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { ms, seconds, systemRandom } from '../../platform/time/index.ts'
import { FakeClock } from '../../platform/time/testing/index.ts'
import type { DeviceModel, ModelProperty } from '../../schemas/index.ts'
import { createSimulatedDevice } from './create-device.ts'
import { WriteRefusal } from './simulated-device.ts'

const property = (name: string, rest: Partial<ModelProperty> = {}): ModelProperty => ({
  name,
  type: 'FLOAT',
  accessMode: 'ReadOnly',
  ...rest,
})

const PUMP = [
  property('alarm', { type: 'BOOLEAN' }),
  property('temperature'),
  property('speed', { type: 'INT' }),
  property('targetSpeed', { type: 'INT', accessMode: 'ReadWrite', minimum: '0', maximum: '3000' }),
  property('running', { type: 'BOOLEAN', accessMode: 'ReadWrite' }),
]
const PUMP_MOVES =
  'speed=follow(targetSpeed,1.5s,running), temperature=follow(speed*0.02+20,30s), alarm=above(temperature,70,65)'

function simulated(properties: readonly ModelProperty[], moves?: string, chance?: () => number) {
  const clock = new FakeClock()
  const model: DeviceModel = {
    apiVersion: 'devices.kubeedge.io/v1beta1',
    kind: 'DeviceModel',
    metadata: { name: 'm', ...(moves === undefined ? {} : { annotations: { 'skerry.dev/simulate': moves } }) },
    spec: { properties },
  }
  const device = createSimulatedDevice({
    model,
    clock,
    random: chance ? { ...systemRandom, next: chance } : systemRandom,
  })
  return { clock, device }
}

describe('a simulated device', () => {
  it('is a pump where its annotation says so: inertia, warmth, an alarm with hysteresis', async () => {
    const { clock, device } = simulated(PUMP, PUMP_MOVES)
    assert.deepEqual([device.read('speed'), device.read('temperature'), device.read('alarm')], [0, 20, false])
    device.write('targetSpeed', 3000)
    await clock.advance(seconds(1))
    const soon = Number(device.read('speed'))
    assert.ok(soon > 1000 && soon < 2000, `${soon}`)
    await clock.advance(seconds(300))
    assert.deepEqual([device.read('speed'), device.read('alarm')], [3000, true])
    assert.equal(Math.round(Number(device.read('temperature'))), 80)
    device.write('running', false)
    await clock.advance(seconds(7))
    assert.equal(device.read('alarm'), true)
    await clock.advance(seconds(60))
    assert.deepEqual([device.read('speed'), device.read('alarm')], [0, false])
  })

  it('is hardly different however often somebody looks', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 60 }), async (looks) => {
        const often = simulated(PUMP, PUMP_MOVES)
        const once = simulated(PUMP, PUMP_MOVES)
        for (const { device } of [often, once]) device.write('targetSpeed', 2000)
        for (let look = 0; look < looks; look++) {
          await often.clock.advance(ms(20_000 / looks))
          often.device.read('alarm')
        }
        await once.clock.advance(seconds(20))
        for (const name of ['speed', 'temperature']) {
          const difference = Number(often.device.read(name)) - Number(once.device.read(name))
          assert.ok(Math.abs(difference) < 1, `${name} ${difference}`)
        }
      }),
      { numRuns: 20 },
    )
  })

  it('tells the same until time passes', async () => {
    const { clock, device } = simulated([property('a')], 'a=noisy(sine(0,10,60s),1)')
    const first = device.read('a')
    assert.equal(device.read('a'), first)
    await clock.advance(seconds(10))
    assert.notEqual(device.read('a'), first)
  })

  it('moves every type within its bounds without being told how', async () => {
    const properties: ModelProperty[] = [
      property('level', { type: 'INT', minimum: '-5', maximum: '5' }),
      property('outsideTemperature', { minimum: '-40', maximum: '85' }),
      property('ratio', { type: 'DOUBLE', minimum: '0.1', maximum: '0.2' }),
      property('depth', { maximum: '-200' }),
      property('state', { type: 'STRING' }),
      property('blink', { type: 'BOOLEAN' }),
      property('image', { type: 'STREAM' }),
      property('raw', { type: 'BYTES' }),
      property('totalEnergy', { type: 'INT' }),
    ]
    const { clock, device } = simulated(properties)
    const seen = new Map<string, Set<string>>()
    for (let round = 0; round < 200; round++) {
      await clock.advance(seconds(7))
      for (const { model } of device.properties) {
        const value = device.read(model.name)
        if (typeof value === 'number') {
          assert.ok(value >= Number(model.minimum ?? Number.NEGATIVE_INFINITY), `${model.name} ${value}`)
          assert.ok(value <= Number(model.maximum ?? Number.POSITIVE_INFINITY), `${model.name} ${value}`)
        }
        seen.set(model.name, (seen.get(model.name) ?? new Set()).add(String(value)))
      }
    }
    for (const [name, values] of seen) assert.ok(values.size > 1, `${name} never moves`)
    assert.ok(device.read('raw') instanceof Uint8Array)
    assert.equal(typeof device.read('blink'), 'boolean')
    assert.ok(Number.isInteger(device.read('level')))
    assert.equal(device.read('totalEnergy'), 1400)
  })

  it('holds what was written, digits and bytes and all', () => {
    const writable = { accessMode: 'ReadWrite' } as const
    const { device } = simulated([
      property('big', { type: 'INT', ...writable }),
      property('name', { type: 'STRING', ...writable }),
      property('blob', { type: 'BYTES', ...writable }),
      property('exact', { type: 'DOUBLE', ...writable }),
    ])
    const values = { big: 2n ** 62n + 1n, name: 'é,', blob: Uint8Array.of(0, 1, 255), exact: 0.25 }
    for (const [name, value] of Object.entries(values)) {
      device.write(name, value)
      assert.deepEqual(device.read(name), value)
    }
  })

  it('refuses what the device would refuse, and says which kind of refusal it is', () => {
    const { device } = simulated(PUMP)
    const reason = (name: string, value: number | string) => {
      try {
        device.write(name, value)
      } catch (error) {
        return error instanceof WriteRefusal ? error.reason : error
      }
    }
    assert.deepEqual(
      [reason('speed', 1), reason('targetSpeed', 3001), reason('targetSpeed', 'fast'), reason('nothing', 1)],
      ['read-only', 'bounds', 'type', 'unknown'],
    )
    assert.equal(device.read('targetSpeed'), 0)
  })

  it('can be set to anything by a test, and stays there', async () => {
    const { clock, device } = simulated(PUMP, PUMP_MOVES)
    device.set('temperature', 71)
    await clock.advance(seconds(60))
    assert.deepEqual([device.read('temperature'), device.read('alarm')], [71, true])
  })

  it('is refused with a pointer where its annotation names what is not there or goes round in a ring', () => {
    const pointer = '/metadata/annotations/skerry.dev~1simulate'
    const refused = (moves: string, message: RegExp) =>
      assert.throws(
        () => simulated(PUMP, moves),
        (error: Error & { fields?: object }) => {
          assert.match(error.message, message)
          assert.deepEqual(error.fields, { pointer })
          return true
        },
      )
    refused('sped=hold(1)', /names no property: sped; there is: alarm, temperature/)
    refused('speed=follow(goal,1s)', /names no property: goal/)
    refused('speed=follow(temperature,1s), temperature=follow(speed,1s)', /goes round in a ring: .*speed looks at/)
    refused('speed=follow(speed,1s)', /ring: speed looks at speed/)
    refused('speed=fly(1)', /the annotation skerry.dev\/simulate of the DeviceModel has "fly\(1\)" in it/)
  })
})
