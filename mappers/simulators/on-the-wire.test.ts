import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { seconds, systemRandom } from '../../platform/time/index.ts'
import { FakeClock } from '../../platform/time/testing/index.ts'
import type { JsonObject, ModelProperty, PropertyType } from '../../schemas/index.ts'
import { createSimulatedDevice } from './create-device.ts'
import { deviceMemory } from './modbus/device-memory.ts'
import { onTheWire } from './on-the-wire.ts'

const property = (name: string, type: PropertyType, visitor: JsonObject, rest: Partial<ModelProperty> = {}) => ({
  ...{ name, type, accessMode: 'ReadWrite' as const, ...rest },
  visitors: { configData: { register: 'HoldingRegister', ...visitor } },
})

function simulated(...properties: readonly ModelProperty[]) {
  const clock = new FakeClock()
  const model = {
    ...{ apiVersion: 'devices.kubeedge.io/v1beta1', kind: 'DeviceModel', metadata: { name: 'm' } },
    spec: { properties },
  }
  const device = createSimulatedDevice({ model, clock, random: systemRandom })
  return { clock, device, wire: onTheWire(device) }
}

describe('a simulated device on its wire', () => {
  it('holds raw values where the host converts, both ways', () => {
    const { device, wire } = simulated(
      property('temperature', 'FLOAT', { offset: 0, convert: { scale: 0.1, offset: -40 } }, { unit: 'degC' }),
      property('mode', 'STRING', { offset: 1, convert: { values: { '0': 'off', '1': 'on' } } }),
    )
    assert.equal(device.read('mode'), 'off')
    device.write('temperature', 21.5)
    assert.equal(wire.read('temperature'), 615)
    wire.write('temperature', 600)
    assert.equal(device.read('temperature'), 20)
    wire.write('mode', 1)
    assert.deepEqual([device.read('mode'), wire.read('mode')], ['on', 1])
    assert.throws(() => wire.write('mode', 7), { reason: 'type' })
    assert.deepEqual(
      wire.properties.map(({ model, visitor }) => [model.type, Object.keys(visitor)]),
      [
        ['FLOAT', ['register', 'offset']],
        ['INT', ['register', 'offset']],
      ],
    )
  })

  it('cycles through the values that are known', async () => {
    const { clock, device } = simulated(
      property(
        'state',
        'STRING',
        { offset: 0, convert: { values: { '4': 'idle', '5': 'busy' } } },
        { accessMode: 'ReadOnly' },
      ),
    )
    const first = device.read('state')
    await clock.advance(seconds(30))
    assert.deepEqual([first, device.read('state')], ['idle', 'busy'])
  })

  it('keeps several fields of bits in one register', () => {
    const { device, wire } = simulated(
      property('low', 'INT', { offset: 0, dataType: 'uint16', convert: { bits: { first: 0, count: 4 } } }),
      property('high', 'INT', { offset: 0, dataType: 'uint16', convert: { bits: { first: 8, count: 8 } } }),
      property(
        'fixed',
        'BOOLEAN',
        { offset: 0, dataType: 'uint16', convert: { bits: { first: 7 } } },
        { accessMode: 'ReadOnly' },
      ),
    )
    device.set('fixed', true)
    device.write('low', 5)
    device.write('high', 0xab)
    const memory = deviceMemory(wire)
    assert.deepEqual(memory.readRegisters('holding', 1, 0, 1), [0xab85])
    memory.writeRegisters(1, 0, [0x1283])
    assert.deepEqual([device.read('low'), device.read('high')], [3, 0x12])
    assert.throws(() => memory.writeRegisters(1, 0, [0x1203]), { exception: 2 })
  })

  it('refuses a conversion that is none, with a pointer', () => {
    assert.throws(() => simulated(property('a', 'INT', { offset: 0, convert: { scale: 0 } })), {
      message: /^m cannot be simulated: a: must not be 0/,
      fields: { device: 'm', pointer: '/spec/properties/0/visitors/configData/convert/scale' },
    })
  })
})
