import assert from 'node:assert/strict'
import { it } from 'node:test'
import { type AssignedDevice, deviceRefusals } from '../../schemas/index.ts'
import { hostBench } from '../host/testing/host-bench.ts'
import { assigned } from '../testing/assigned.ts'
import modbus from './index.ts'

function deviceOn(name: string, configData: Readonly<Record<string, string | number>>): AssignedDevice {
  const visitor = { register: 'HoldingRegister', offset: 0 }
  const { device, model } = assigned(modbus, [{ type: 'INT', visitor }], {
    serialPort: '/dev/no-such-line',
    ...configData,
  })
  return { device: { ...device, metadata: { ...device.metadata, name } }, ...(model ? { model } : {}) }
}

it('refuses a device that names other settings for a line in use, until the others are gone', async () => {
  const host = hostBench(modbus)
  const refusalsOf = (name: string) => host.bus.get(deviceRefusals, `default/${name}`)
  host.assign(deviceOn('first', { baudRate: 9600, unitId: 1 }))
  host.assign(deviceOn('second', { baudRate: 9600, unitId: 2 }))
  host.assign(deviceOn('third', { baudRate: 19_200, unitId: 3 }))
  assert.equal(refusalsOf('second'), undefined)
  assert.deepEqual(
    refusalsOf('third')?.map(({ pointer, message }) => [pointer, message]),
    [
      [
        '/spec/protocol/configData/baudRate',
        'is 19200, but 9600 for other devices on /dev/no-such-line: a line has one setting',
      ],
    ],
  )
  host.unassign('first')
  assert.equal(refusalsOf('third')?.length, 1)
  // Moves to another line.
  host.assign(deviceOn('second', { serialPort: '/dev/another-line', unitId: 2 }))
  assert.equal(refusalsOf('third'), undefined)
  await host.stop()
})
