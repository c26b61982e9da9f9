import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { systemClock } from '../../../platform/time/index.ts'
import { served } from '../../bluetooth-serial/testing/served.ts'
import type { SimulatedDevice } from '../simulated-device.ts'
import { simulateSample } from '../testing/simulate-sample.ts'

const skip = process.platform === 'win32' ? 'no pseudo-terminals' : false

async function balance(t: TestContext) {
  const { simulator, device } = await simulateSample(t, 'balance', systemClock)
  return { simulator, device, connect: () => connected(t, device, simulator.configData) }
}

function connected(t: TestContext, device: SimulatedDevice, where: Readonly<Record<string, unknown>>) {
  const properties = device.properties.map(({ model, visitor }) => ({
    name: model.name,
    type: model.type ?? 'STRING',
    visitor,
  }))
  return served(
    t,
    { ...device.configData, path: String(where['path']), timeout: 300, drain: 20, retries: 0 },
    properties,
  )
}

describe('the simulated balance', { skip }, () => {
  it('tells its mapper what its model holds', async (t) => {
    const { simulator, device, connect } = await balance(t)
    device.set('weight', 123.45)
    device.set('stable', true)
    const line = await connect()
    const requests = simulator.requests
    assert.deepEqual(await line.read(), { weight: 123.45, stable: true, tare: 0, backlight: true })
    // Weight and stability are one exchange.
    assert.equal(simulator.requests - requests, 3)
  })

  it('takes what is written, and says no', async (t) => {
    const { device, connect } = await balance(t)
    const line = await connect()
    assert.equal(await line.write('tare', 12.5), 'ok')
    assert.equal(await line.write('backlight', false), 'ok')
    assert.equal(device.read('tare'), 12.5)
    assert.match(await line.write('tare', 900), /the device refused: "ES"/)
    assert.equal((await line.read())['backlight'], false)
  })

  it('sends its battery by itself', async (t) => {
    const { device, connect } = await balance(t)
    device.set('battery', 87)
    const line = await connect()
    assert.equal(await line.told('battery'), 87)
  })

  it('is silent, talks nonsense, and is unplugged, as the fault says', async (t) => {
    const { simulator, connect } = await balance(t)
    const line = await connect()
    await simulator.fault({ kind: 'silence' })
    await assert.rejects(line.read(), { name: 'DeviceSilentError' })
    await simulator.fault({ kind: 'garbage', share: 1 })
    await assert.rejects(line.read(), { name: 'DeviceSilentError' })
    await simulator.fault({ kind: 'disconnect' })
    await assert.rejects(line.read(), /hung up|does not exist|closed/)
    await simulator.fault(undefined)
    const again = await connect()
    assert.equal((await again.read())['backlight'], true)
  })
})
