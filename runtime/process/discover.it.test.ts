import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { parse, parseAllDocuments } from 'yaml'
import { parseDevice, parseDeviceModel } from '../../hub/edge/meta/parse-device.ts'
import { createSimulatedDevice, type Simulator } from '../../mappers/simulators/index.ts'
import { createOpcuaSimulator } from '../../mappers/simulators/opcua/opcua-simulator.ts'
import { simulateSample } from '../../mappers/simulators/testing/simulate-sample.ts'
import { systemClock, systemRandom } from '../../platform/time/index.ts'
import { temporaryFolder } from '../../tools/testing/temporary-folder.ts'
import { run as runProgram } from './testing/run.ts'

const LAUNCHER = new URL('../../bin/skerry.mjs', import.meta.url).pathname
const run = (args: readonly string[]) => runProgram(process.execPath, [LAUNCHER, ...args])

const SAMPLE = new URL('../../samples/boiler/', import.meta.url)
let boiler: Simulator
const data = temporaryFolder('skerry-discover-')
before(async () => {
  const read = async (file: string) => JSON.stringify(parse(await readFile(new URL(file, SAMPLE), 'utf8')))
  const model = parseDeviceModel(await read('model.yaml'))
  const device = parseDevice(await read('device.yaml'))
  assert.ok(model && device)
  const ground = { clock: systemClock, random: systemRandom }
  const simulated = createSimulatedDevice({ model, device, ...ground })
  boiler = createOpcuaSimulator({ host: '127.0.0.1', port: 0, ...ground, device: simulated })
  await boiler.start()
})
after(() => boiler.close())

describe('skerry discover', () => {
  it('says how to trust an unknown OPC UA server, and describes it once it is trusted', async () => {
    const refused = await run(['discover', 'opcua', boiler.url, '--data', data])
    assert.notEqual(refused.code, 0)
    const fingerprint = /skerry opcua trust ([0-9a-f]{64})/.exec(refused.stderr)?.[1] ?? assert.fail(refused.stderr)
    assert.match(
      (await run(['opcua', 'list', '--data', data])).stdout,
      new RegExp(`rejected:\\n  ${fingerprint}  boiler-1, until`),
    )
    assert.equal((await run(['opcua', 'trust', fingerprint.slice(0, 16), '--data', data])).code, 0)
    const { stdout, stderr } = await run(['discover', 'opcua', boiler.url, '--node', 'edge-1', '--data', data])
    const [model, device] = parseAllDocuments(stdout).map((each): unknown => each.toJS())
    const parsed = parseDeviceModel(JSON.stringify(model))
    const described = parseDevice(JSON.stringify(device))
    assert.ok(parsed && described, stderr)
    assert.deepEqual(described.spec.methods, [
      {
        name: 'fill',
        description: 'Method fill',
        propertyNames: ['fill'],
      },
    ])
    const byName = new Map(parsed.spec.properties?.map((property) => [property.name, property]))
    assert.deepEqual([...byName.keys()].sort(), [
      'burner',
      'energy',
      'fill',
      'level',
      'mode',
      'pressure',
      'setpoint',
      'temperature',
    ])
    assert.deepEqual(byName.get('setpoint'), {
      name: 'setpoint',
      type: 'FLOAT',
      accessMode: 'ReadWrite',
      description: 'Temperature that the water has to reach.',
      unit: 'degC',
      minimum: '40',
      maximum: '90',
      visitors: { protocolName: 'opcua', configData: { nodeId: 'nsu=urn:skerry:boiler;s=Boiler.Setpoint' } },
    })
    assert.equal((await run(['opcua', 'reject', fingerprint, '--data', data])).code, 0)
  })

  it('finds the one Modbus device of a host that answers to any unit', async (t) => {
    const { port } = await simulateSample(t, 'pump', systemClock)
    const { stdout, stderr, code } = await run(['discover', 'modbus', `127.0.0.1:${port}`, '--data', data])
    assert.equal(code, 0, stderr)
    const [model, device] = parseAllDocuments(stdout).map((each): unknown => each.toJS())
    assert.ok(parseDeviceModel(JSON.stringify(model)), stdout)
    const parsed = parseDevice(JSON.stringify(device)) ?? assert.fail(stdout)
    assert.equal(parsed.metadata.name, 'modbus-unit-1')
    assert.deepEqual(parsed.spec.protocol?.configData, { host: '127.0.0.1', port, unitId: 1 })
    assert.equal(parseAllDocuments(stdout).length, 2)
  })

  it('names what it can do where it is asked for something else', async () => {
    assert.match((await run(['discover', 'mqtt', 'x'])).stderr, /no protocol whose devices can be discovered/)
    assert.match((await run(['discover', 'opcua', 'plc', '--data', data])).stderr, /\/url must match/)
    assert.match(
      (await run(['opcua', 'trust', 'ffffffff', '--data', data])).stderr,
      /no rejected certificate .*see skerry opcua list/,
    )
  })
})
