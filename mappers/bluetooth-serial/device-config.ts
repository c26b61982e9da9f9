import { type ConfigIssue, type ConfigSchema, configSchema, type Static, Type } from '../contract/index.ts'
import { parseBytes } from './framing/bytes.ts'
import { type FrameRules, Framing, frameRules } from './framing/framing.ts'

const DeviceConfig = Type.Object(
  {
    path: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 500,
        description:
          'The port: /dev/ttyUSB0, /dev/serial/by-id/..., /dev/rfcomm0, COM3; or tcp://host:port of a serial server. Needed where there is no macAddress.',
      }),
    ),
    macAddress: Type.Optional(
      Type.String({
        pattern: '^[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}$',
        description:
          'Address of a Bluetooth device that is bound to a port already, e.g. 00:11:22:33:44:55; its /dev/rfcommN is looked up (Linux).',
      }),
    ),
    channel: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 30,
        description: 'RFCOMM channel of the Bluetooth device. Default: any that is bound.',
      }),
    ),
    baudRate: Type.Integer({
      default: 9600,
      minimum: 50,
      maximum: 4_000_000,
      description: 'Bits a second. This and the other line settings mean nothing over Bluetooth and TCP.',
    }),
    dataBits: Type.Union([Type.Literal(5), Type.Literal(6), Type.Literal(7), Type.Literal(8)], {
      default: 8,
      description: 'Data bits of a character.',
    }),
    parity: Type.Union([Type.Literal('none'), Type.Literal('even'), Type.Literal('odd')], {
      default: 'none',
      description: 'Parity bit of a character.',
    }),
    stopBits: Type.Union([Type.Literal(1), Type.Literal(2)], {
      default: 1,
      description: 'Stop bits of a character.',
    }),
    flowControl: Type.Union([Type.Literal('none'), Type.Literal('hardware'), Type.Literal('software')], {
      default: 'none',
      description: 'hardware: RTS and CTS. software: XON and XOFF.',
    }),
    address: Type.Optional(
      Type.String({
        maxLength: 64,
        description:
          'Which device of several on one line. {address} in templates stands for it. Devices with different addresses are silent or there by themselves.',
      }),
    ),
    framing: Framing,
    requestFraming: Type.Optional(
      Type.Object(Framing.properties, {
        description: 'How what is sent is framed. Default: as framing. With kind silence it is sent as it is.',
      }),
    ),
    refuse: Type.Array(Type.String({ minLength: 1 }), {
      default: [],
      maxItems: 20,
      description: 'Answers that begin with one of these say no: the property or the write has failed.',
    }),
    timeout: Type.Integer({
      default: 1000,
      minimum: 10,
      maximum: 60_000,
      description: 'Milliseconds within which a request has to be answered.',
    }),
    retries: Type.Integer({
      default: 1,
      minimum: 0,
      maximum: 5,
      description: 'How often a request without an answer is repeated. Writes are never repeated.',
    }),
    gap: Type.Integer({
      default: 0,
      minimum: 0,
      maximum: 10_000,
      description: 'Milliseconds between an answer and the next request.',
    }),
    drain: Type.Integer({
      default: 100,
      minimum: 0,
      maximum: 10_000,
      description:
        'Milliseconds without a byte that the line has to be quiet after a request without an answer, so that a late answer is not taken for that of the next request.',
    }),
    settle: Type.Integer({
      default: 0,
      minimum: 0,
      maximum: 8000,
      description: 'Milliseconds to wait after opening the port: some boards restart when it is opened.',
    }),
    idleTimeout: Type.Integer({
      default: 0,
      minimum: 0,
      maximum: 86_400_000,
      description:
        'Milliseconds without a frame after which a device that sends by itself is offline. 0: it may be silent for ever.',
    }),
  },
  { title: 'bluetooth-serial device', description: 'How a device on a serial line or on Bluetooth serial is reached.' },
)
type DeviceText = Static<typeof DeviceConfig>

/** A device, ready for use. */
export interface SerialDevice extends Omit<DeviceText, 'framing' | 'requestFraming' | 'refuse'> {
  readonly framing: FrameRules
  readonly requestFraming: FrameRules
  readonly refuse: readonly Buffer[]
}

const text = configSchema(DeviceConfig, {
  aliases: {
    path: ['serialPort', 'port', 'url', 'device'],
    macAddress: ['mac', 'bluetoothAddress'],
    address: ['deviceID', 'unit', 'slaveID'],
    timeout: ['collectTimeout'],
  },
  values: {
    parity: { none: 'none', even: 'even', odd: 'odd', n: 'none', e: 'even', o: 'odd' },
    flowControl: { rtscts: 'hardware', 'rts/cts': 'hardware', xonxoff: 'software', 'xon/xoff': 'software' },
  },
})

export const deviceConfig: ConfigSchema<SerialDevice> = {
  jsonSchema: text.jsonSchema,
  parse(input) {
    const parsed = text.parse(withFraming(input))
    if (!parsed.ok) return parsed
    const issues: ConfigIssue[] = []
    const device = parsed.value
    checkPort(device, issues)
    const framing = rules(device.framing, '/framing', issues)
    const requestFraming = device.requestFraming ? rules(device.requestFraming, '/requestFraming', issues) : framing
    const refuse = device.refuse.map((answer, index) => {
      const bytes = parseBytes(answer)
      if (!bytes.ok) issues.push({ pointer: `/refuse/${index}`, message: bytes.reason })
      return bytes.ok ? bytes.value : Buffer.alloc(0)
    })
    if (issues.length > 0 || !framing || !requestFraming) return { ok: false, issues }
    return { ok: true, value: Object.freeze({ ...device, framing, requestFraming, refuse }) }
  },
}

/** Where devices meet on one connection. */
export function lineKey({ path, macAddress, channel }: SerialDevice): string {
  if (path !== undefined) return path.replace(/^(tcp:.*)\/$/, '$1')
  return `bluetooth ${macAddress?.toLowerCase().replaceAll('-', ':')}/${channel ?? 'any'}`
}

const LINE_SETTINGS = ['baudRate', 'dataBits', 'parity', 'stopBits', 'flowControl'] as const

/** Whether it is a port with line settings: they mean nothing over Bluetooth and TCP. */
export function hasSpeed({ path }: SerialDevice): boolean {
  return path !== undefined && !tcpAddress(path) && !path.startsWith('/dev/rfcomm')
}

/** What a device says otherwise than another one on its port. */
export function lineConflict(device: SerialDevice, other: SerialDevice): ConfigIssue | undefined {
  if (!hasSpeed(device)) return undefined
  const key = LINE_SETTINGS.find((each) => device[each] !== other[each])
  if (key === undefined) return undefined
  return {
    pointer: `/${key}`,
    message: `is ${device[key]}, but ${other[key]} for other devices on ${device.path}: a line has one setting`,
  }
}

export interface TcpAddress {
  readonly host: string
  readonly port: number
}

/** The serial server that a path means; undefined where it is a port of this machine. */
export function tcpAddress(path: string): TcpAddress | undefined {
  const found = /^tcp:\/\/(\[[0-9a-fA-F:]+\]|[^/:\s]+):(\d{1,5})\/?$/.exec(path)
  const [, host, port] = found ?? []
  if (host === undefined || port === undefined) return undefined
  return Number(port) >= 1 && Number(port) <= 65_535
    ? { host: host.replace(/^\[|\]$/g, ''), port: Number(port) }
    : undefined
}

function checkPort({ path, macAddress }: DeviceText, issues: ConfigIssue[]): void {
  if (path === undefined && macAddress === undefined) {
    issues.push({ pointer: '/path', message: 'is required, or the macAddress of a Bluetooth device' })
  }
  if (path !== undefined && macAddress !== undefined) {
    issues.push({ pointer: '/macAddress', message: 'has no use beside path: leave out one of them' })
  }
  if (path?.includes('://') && !tcpAddress(path)) {
    issues.push({ pointer: '/path', message: 'must be a port such as /dev/ttyUSB0 or COM3, or tcp://host:port' })
  }
}

function rules(framing: Framing, pointer: string, issues: ConfigIssue[]): FrameRules | undefined {
  const found = frameRules(framing)
  if ('kind' in found) return found
  for (const issue of found) issues.push({ pointer: `${pointer}${issue.pointer}`, message: issue.message })
  return undefined
}

/** A device says nothing of its framing when lines of text will do. */
function withFraming(input: unknown): unknown {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return input
  return Object.keys(input).some((key) => key.toLowerCase() === 'framing') ? input : { ...input, framing: {} }
}
