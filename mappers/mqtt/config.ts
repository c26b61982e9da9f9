import { type Static, Type } from 'typebox'
import { type ConfigIssue, type ConfigSchema, configSchema } from '../contract/index.ts'
import { NO_POINTER, parsePointer } from '../payload/index.ts'

const file = (description: string) => Type.Optional(Type.String({ minLength: 1, description }))

export const Availability = Type.Object(
  {
    topic: Type.String({
      minLength: 1,
      description: 'Topic on which the device, or its last will, says whether it is there.',
    }),
    pointer: Type.Optional(
      Type.String({ description: 'JSON pointer to the word in the payload. Default: the whole payload.' }),
    ),
    online: Type.String({ default: 'online', description: 'Word for: it is there.' }),
    offline: Type.String({ default: 'offline', description: 'Word for: it is not. Any third word is ignored.' }),
  },
  { description: 'How the device says whether it is there.' },
)

/** How one MQTT device is reached: over which broker, as whom, and under which topics. */
const Device = Type.Object(
  {
    broker: Type.String({
      default: 'local',
      pattern: '^(local|(mqtt|tcp|mqtts|ssl|ws|wss)://[^@?#\\s]+)$',
      description:
        'Where the device publishes: local is the broker of the node (in mode external that one), a URL another broker: mqtt:// (1883), mqtts:// (8883), ws:// or wss://.',
    }),
    host: Type.Optional(
      Type.String({ minLength: 1, description: 'Host of another broker, instead of a URL in broker.' }),
    ),
    port: Type.Integer({ default: 1883, minimum: 1, maximum: 65_535, description: 'Port of host.' }),
    username: Type.Optional(Type.String({ minLength: 1, description: 'User at another broker.' })),
    passwordFile: file('File on the node with the password, mode 0600, read at each connection.'),
    ca: file('CA certificate of the broker, PEM. Default: the CAs that Node.js trusts.'),
    certificate: file('Client certificate for the broker, PEM.'),
    key: file('Key of the client certificate, PEM, mode 0600.'),
    insecureSkipVerify: Type.Boolean({
      default: false,
      description:
        'Do not check the certificate of the broker. Anybody in between can then read and change everything.',
    }),
    clientId: Type.String({ default: '', maxLength: 1000, description: 'Client id. Default: a random one.' }),
    keepAlive: Type.Integer({
      default: 30,
      minimum: 5,
      maximum: 3600,
      description: 'Seconds of silence after which the broker is asked whether it lives.',
    }),
    cleanSession: Type.Boolean({
      default: true,
      description: 'false: the broker keeps messages for this client while it is away; needs a clientId.',
    }),
    protocolVersion: Type.Union([Type.Literal('3.1.1'), Type.Literal('5')], {
      default: '3.1.1',
      description: 'Version of MQTT. The embedded broker of a node speaks 3.1.1.',
    }),
    base: Type.String({
      default: '',
      description: 'What topics of the device have in common, for {base} in them; may hold placeholders itself.',
    }),
    variables: Type.Record(Type.String({ pattern: '^[A-Za-z][A-Za-z0-9_-]*$' }), Type.String(), {
      default: {},
      description: 'Own placeholders for topics and payloads, e.g. serial: "A4C138".',
    }),
    availability: Type.Optional(Availability),
    silence: Type.Optional(
      Type.Integer({
        minimum: 100,
        maximum: 604_800_000,
        description:
          'Milliseconds without any message of the device after which it is offline. Default: it may be silent for ever.',
      }),
    ),
    timeout: Type.Integer({
      default: 5000,
      minimum: 50,
      maximum: 60_000,
      description: 'Milliseconds within which the device has to answer a command or a question.',
    }),
  },
  { title: 'mqtt device', description: 'How a device that speaks MQTT is reached.' },
)
export type DeviceConfig = Static<typeof Device>

const schema = configSchema(Device, {
  aliases: {
    broker: ['url', 'server', 'brokerUrl'],
    host: ['ip', 'address', 'hostname'],
    username: ['user', 'userName'],
    clientId: ['clientID'],
    keepAlive: ['keepalive', 'keepAliveInterval'],
    cleanSession: ['clean'],
    protocolVersion: ['version'],
    base: ['topicBase', 'baseTopic', 'topicPrefix', 'topic'],
    timeout: ['collectTimeout'],
  },
  values: { protocolVersion: { '3': '3.1.1', '4': '3.1.1', '3.1': '3.1.1', '5.0': '5' } },
})

export const deviceConfig: ConfigSchema<DeviceConfig> = {
  jsonSchema: schema.jsonSchema,
  parse(input) {
    const secret = refuseSecret(input)
    if (secret) return { ok: false, issues: [secret] }
    const parsed = schema.parse(withTextVersion(input))
    if (!parsed.ok) return parsed
    const issues = contradictions(parsed.value)
    return issues.length > 0 ? { ok: false, issues } : parsed
  },
}

/** A password in a Device stands in the database of Kubernetes for everybody who may read devices. */
export function refuseSecret(input: unknown): ConfigIssue | undefined {
  if (typeof input !== 'object' || input === null) return undefined
  const key = Object.keys(input).find((each) => ['password', 'passwd', 'token'].includes(each.toLowerCase()))
  if (key === undefined) return undefined
  const message =
    'does not belong into a manifest: put it into a file on the node with mode 0600, and name that as passwordFile of the device'
  return { pointer: `/${key}`, message }
}

/** YAML reads `protocolVersion: 5` as a number. */
function withTextVersion(input: unknown): unknown {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return input
  return Object.fromEntries(
    Object.entries(input).map(([key, value]) => [
      key,
      ['protocolversion', 'version'].includes(key.toLowerCase()) && typeof value === 'number' ? String(value) : value,
    ]),
  )
}

function contradictions(device: DeviceConfig): readonly ConfigIssue[] {
  const issues: ConfigIssue[] = []
  const add = (pointer: string, message: string) => issues.push({ pointer, message })
  const { broker, host, username, passwordFile, ca, certificate, key } = device
  const isLocal = broker === 'local' && host === undefined
  if (broker !== 'local' && host !== undefined) add('/host', 'contradicts broker: give one of them')
  if (isLocal && (username ?? passwordFile ?? ca ?? certificate ?? key) !== undefined) {
    add('/broker', 'is local, where the node has an account of its own: leave user, password and certificates out')
  }
  if (!isLocal && passwordFile !== undefined && username === undefined)
    add('/username', 'is required with passwordFile')
  if ((certificate === undefined) !== (key === undefined)) add('/certificate', 'and key go together')
  const isTls = /^(mqtts|ssl|wss):/.test(broker)
  if (!isLocal && !isTls && (ca ?? certificate) !== undefined)
    add('/broker', 'must be mqtts:// or wss:// for certificates')
  if (!device.cleanSession && device.clientId === '') add('/clientId', 'is required with cleanSession: false')
  const pointer = device.availability?.pointer
  if (pointer !== undefined && !parsePointer(pointer)) add('/availability/pointer', NO_POINTER)
  return issues
}
