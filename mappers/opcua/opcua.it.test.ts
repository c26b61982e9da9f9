import { after, before } from 'node:test'
import { DataType } from 'node-opcua-client'
import { describeMapper } from '../testing/index.ts'
import opcua from './index.ts'
import { nodeOf, PLANT, type Plant, type PlantDoor, startPlant } from './testing/plant.ts'

let plant: Plant | undefined
before(async () => {
  plant = await startPlant()
})
after(() => plant?.close())

const at = (name: string) => ({ visitor: { nodeId: nodeOf(name) } })
const isDoor = (server: object): server is PlantDoor => 'url' in server

describeMapper({
  mapper: opcua,
  entry: import.meta.resolve('./index.ts'),
  server: async (): Promise<PlantDoor> => {
    if (!plant) throw new Error('the plant has not started')
    plant.set('Level', DataType.Double, 1)
    return plant.door()
  },
  device: (server, index) => ({
    URL: isDoor(server) ? server.url : 'opc.tcp://127.0.0.1:4840',
    root: index === 0 ? `/{${PLANT}}:One` : nodeOf('Two'),
    trust: 'first-use',
    publishingInterval: '20',
    samplingInterval: 10,
    timeout: 3000,
  }),
  cases: {
    readable: [
      { type: 'INT', visitor: { browsePath: `{${PLANT}}:Count` }, value: 1500, second: 1501 },
      { type: 'INT', ...at('Int16'), value: -1500 },
      { type: 'INT', ...at('UInt32'), value: 4_000_000_000 },
      { type: 'INT', ...at('Int64'), value: -(2n ** 63n) + 1n },
      { type: 'INT', ...at('UInt64'), value: 2n ** 63n - 1n },
      { type: 'FLOAT', ...at('Float'), value: 24.5 },
      { type: 'DOUBLE', ...at('Double'), value: 0.1 },
      { type: 'BOOLEAN', ...at('Boolean'), value: true },
      { type: 'STRING', ...at('String'), value: 'Kessel 1 "heiß"' },
      { type: 'STRING', ...at('DateTime'), value: '2030-01-31T08:00:00.250Z' },
      { type: 'BYTES', ...at('ByteString'), value: new Uint8Array([1, 2, 255]) },
      { type: 'STRING', ...at('LocalizedText'), value: 'läuft' },
      { type: 'STRING', ...at('Int32s'), value: '[1,-2,3]' },
      { type: 'INT', visitor: { nodeId: nodeOf('Int32s'), indexRange: '1' }, value: -2 },
      { type: 'STRING', visitor: { nodeId: nodeOf('Int32s'), indexRange: '1:2' }, value: '[-2,3]' },
      { type: 'STRING', ...at('Int64s'), value: '["7","-1"]' },
      { type: 'BYTES', ...at('Bytes'), value: new Uint8Array([9, 8, 7]) },
      { type: 'STRING', visitor: { nodeId: nodeOf('Int16'), attribute: 'displayname' }, value: 'Int16' },
    ],
    writable: { type: 'INT', ...at('Target'), value: -70 },
    broken: { type: 'INT', ...at('Broken') },
    unwritable: { type: 'INT', ...at('ReadOnly'), value: 1 },
    refused: { type: 'INT', visitor: { nodeId: 'Boiler.Level' } },
    refusedDevice: { url: 'http://plc:4840' },
    callable: { type: 'STRING', visitor: { method: nodeOf('Add') }, arguments: [40, '2'], result: [42n] },
    many: (index) => ({ type: 'INT', ...at(`M${index}`), value: index }),
    watchable: {
      type: 'DOUBLE',
      ...at('Level'),
      next: 2.5,
      change: (server) => server.plant.set('Level', DataType.Double, 2.5),
    },
  },
})
