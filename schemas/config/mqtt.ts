import { type Static, Type } from 'typebox'
import { host, port, strict } from './fields.ts'
import { ExternalMqttConfig } from './mqtt-external.ts'
import { MqttSessions } from './mqtt-sessions.ts'

/** What clients without credentials may do: everything a client may, read and ask, or nothing. */
export type Anonymous = 'full' | 'read-only' | 'none'

const anonymous = (fallback: Anonymous, description: string) =>
  Type.Union([Type.Literal('full'), Type.Literal('read-only'), Type.Literal('none')], {
    default: fallback,
    description,
  })

const filters = (description: string) => Type.Array(Type.String({ minLength: 1 }), { default: [], description })

/** What one user or holder of a client certificate may do. Without an entry it may connect and nothing else. */
export const MqttClientConfig = Type.Object(
  {
    name: Type.String({
      minLength: 1,
      maxLength: 256,
      description: 'User name, or common name of a client certificate.',
    }),
    twins: Type.Array(Type.String({ pattern: '^([^/*+#]+\\*?|\\*)/([^/*+#]+\\*?|\\*)$' }), {
      default: [],
      description: 'Its devices, as `NAMESPACE/NAME`; both may end in `*`. `*/*` includes the membership of the node.',
    }),
    access: Type.Union([Type.Literal('read'), Type.Literal('app'), Type.Literal('mapper'), Type.Literal('full')], {
      default: 'read',
      description:
        'What it does with them. read: hears and asks. app: also sets desired values and calls methods. mapper: also reports values and states. full: all.',
    }),
    publish: filters('More topics that it may publish on, as filters; not those of devices.'),
    subscribe: filters('More topics that it may hear, as filters; not those of devices.'),
  },
  { ...strict },
)
export type MqttClientConfig = Static<typeof MqttClientConfig>

const Tls = Type.Object(
  {
    host: host('127.0.0.1', 'Address of the broker over TLS.'),
    port: port(8883, 'Port of the broker over TLS.'),
    certificate: Type.Optional(
      Type.String({ description: 'Serving certificate with its chain, PEM. Default: a self-made one in DIR/mqtt.' }),
    ),
    key: Type.Optional(Type.String({ description: 'Its private key, PEM.' })),
    names: Type.Array(Type.String({ minLength: 1 }), {
      default: [],
      description: 'More host names and IP addresses for the self-made certificate.',
    }),
    clientCa: Type.Optional(
      Type.String({ description: 'CA of client certificates, PEM. Absent: no client certificates.' }),
    ),
    requireCertificate: Type.Boolean({
      default: false,
      description: 'Refuse clients without a certificate of clientCa.',
    }),
  },
  { ...strict, description: 'MQTT over TLS. Absent: off.' },
)
export type MqttTlsConfig = Static<typeof Tls>

const WebSocket = Type.Object(
  {
    host: host('127.0.0.1', 'Address of MQTT over WebSocket, path /mqtt.'),
    port: port(9001, 'Port of MQTT over WebSocket.'),
    tls: Type.Boolean({ default: false, description: 'wss, with the certificates of mqtt.tls.' }),
    origins: Type.Array(Type.String({ minLength: 1 }), {
      default: [],
      description: 'Web origins whose pages may connect, such as https://panel.example; pages of the same host may.',
    }),
  },
  { ...strict, description: 'MQTT over WebSocket, for browsers. Absent: off.' },
)
export type MqttWebSocketConfig = Static<typeof WebSocket>

export const MqttConfig = Type.Object(
  {
    mode: Type.Union([Type.Literal('internal'), Type.Literal('both'), Type.Literal('external')], {
      default: 'internal',
      description:
        'internal: the embedded broker. external: one that runs elsewhere. both: both (mqttMode 0, 2 and 1 in KubeEdge).',
    }),
    host: host('127.0.0.1', 'Address of the embedded broker.'),
    port: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 65535,
        description: 'Port of the embedded broker. Default: 1883, in mode both 1884. 0 takes a free port.',
      }),
    ),
    anonymous: anonymous(
      'read-only',
      'What clients of this machine may do without credentials. read-only includes publishing to .../get.',
    ),
    anonymousRemote: anonymous('none', 'The same for clients of other machines.'),
    passwordFile: Type.Optional(
      Type.String({
        description: 'Users, in the format of mosquitto_passwd. Default: DIR/mqtt/passwords where it exists.',
      }),
    ),
    clients: Type.Array(MqttClientConfig, { default: [], description: 'What users and client certificates may do.' }),
    tls: Type.Optional(Tls),
    websocket: Type.Optional(WebSocket),
    maxPacketBytes: Type.Integer({
      default: 1_048_576,
      minimum: 1024,
      maximum: 268_435_455,
      description: 'Largest packet a client may send.',
    }),
    maxConnections: Type.Integer({ default: 1000, minimum: 1, description: 'Most clients at a time.' }),
    maxConnectionsPerUser: Type.Integer({
      default: 500,
      minimum: 1,
      description: 'Most clients at a time of one user; those without credentials count as one user together.',
    }),
    maxConnectionsPerPod: Type.Integer({
      default: 32,
      minimum: 1,
      description:
        'Most clients at a time of one pod that uses twins, and most sessions that wait for its clients. From one address of pods come at most twice as many connections.',
    }),
    maxSubscriptions: Type.Integer({
      default: 1000,
      minimum: 1,
      description: 'Most topic filters of one client. Beyond that a subscription is refused.',
    }),
    maxInflight: Type.Integer({
      default: 512,
      minimum: 1,
      maximum: 5000,
      description:
        'Most messages that a client may leave unacknowledged before further ones wait, and most messages of one client that are worked on at once, which is how many of its updates can share a write to the disk.',
    }),
    qos: Type.Union([Type.Literal(0), Type.Literal(1), Type.Literal(2)], {
      default: 1,
      description: 'QoS of what the edge publishes.',
    }),
    retain: Type.Boolean({ default: false, description: 'Retain what the edge publishes.' }),
    sessions: MqttSessions,
    external: ExternalMqttConfig,
  },
  { ...strict, default: {}, description: 'EventBus: the embedded MQTT broker, an external one, or both.' },
)
export type MqttConfig = Static<typeof MqttConfig>
