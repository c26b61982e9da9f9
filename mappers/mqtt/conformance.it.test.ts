import type { JsonObject } from '../../schemas/index.ts'
import { describeMapper } from '../testing/index.ts'
import mqtt from './index.ts'
import { type DeviceBroker, startDeviceBroker } from './testing/device-broker.ts'

const ports = new WeakMap<object, number>()

const asked = (name: string, more: JsonObject = {}): JsonObject => ({
  topic: `{base}/state/${name}`,
  getTopic: `{base}/get/${name}`,
  commandTopic: `{base}/set/${name}`,
  ...more,
})

describeMapper({
  mapper: mqtt,
  entry: new URL('./index.ts', import.meta.url),
  server: async (): Promise<DeviceBroker> => {
    const numbers = Array.from({ length: 1000 }, (_, index) => [`0/n${index}`, String(index)])
    const broker = await startDeviceBroker({
      '0/power': '23.5',
      '1/power': '7.25',
      '0/relay': 'ON',
      '1/relay': 'OFF',
      '0/report': '{"meter":{"total":18446744073709551615}}',
      '1/report': '{"meter":{"total":1}}',
      '0/broken': '}{',
      '1/broken': '}{',
      ...Object.fromEntries(numbers),
    })
    ports.set(broker, broker.port)
    return broker
  },
  device: (server, index) => ({
    broker: `mqtt://127.0.0.1:${ports.get(server) ?? 1883}`,
    base: `plug/${index}`,
    timeout: 1000,
  }),
  cases: {
    readable: [
      { type: 'FLOAT', visitor: asked('power'), value: '23.5', second: '7.25' },
      {
        type: 'BOOLEAN',
        visitor: asked('relay', { match: { ON: 'true', OFF: 'false' } }),
        value: true,
        second: false,
      },
      {
        type: 'STRING',
        visitor: asked('report', { pointer: '/meter/total' }),
        value: 18_446_744_073_709_551_615n,
        second: 1,
      },
    ],
    writable: { type: 'BOOLEAN', visitor: asked('relay', { match: { ON: 'true', OFF: 'false' } }), value: false },
    broken: { type: 'INT', visitor: asked('broken', { pointer: '/a' }) },
    unwritable: {
      type: 'INT',
      visitor: asked('fixed', { ack: { by: 'answer', topic: '{base}/result', error: ['ERR*'] } }),
      value: 1,
    },
    refused: { type: 'INT', visitor: { topic: '{base}/state/#/x' } },
    refusedDevice: { broker: 'mqtt://127.0.0.1:1883', username: 'a', password: 'secret' },
    many: (index) => ({ type: 'INT', visitor: asked(`n${index}`), value: String(index) }),
    watchable: {
      type: 'FLOAT',
      visitor: asked('power'),
      next: '99',
      change: (server) => {
        server.values.set('0/power', '99')
        return server.publish('plug/0/state/power', '99')
      },
    },
  },
})
