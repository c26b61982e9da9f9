import { type Static, Type } from 'typebox'
import { host, port, strict } from './fields.ts'

/** EventBus of `skerry edge`. */
export const MqttConfig = Type.Object(
  {
    host: host('127.0.0.1', 'Address of the embedded broker.'),
    port: port(1883, 'Port of the embedded broker.'),
    anonymous: Type.Union([Type.Literal('full'), Type.Literal('read-only'), Type.Literal('none')], {
      default: 'read-only',
      description: 'What clients without credentials may do. read-only includes publishing to .../get.',
    }),
    maxPacketBytes: Type.Integer({
      default: 1_048_576,
      minimum: 1024,
      maximum: 268_435_455,
      description: 'Largest packet a client may send.',
    }),
    maxConnections: Type.Integer({ default: 1000, minimum: 1, description: 'Most clients at a time.' }),
  },
  { ...strict, default: {}, description: 'EventBus: the embedded MQTT broker.' },
)
export type MqttConfig = Static<typeof MqttConfig>
