import { type Static, Type } from 'typebox'
import { configSchema } from '../contract/index.ts'
import type { LineSettings } from './line-time.ts'
import { refinedSchema } from './refined-schema.ts'

export const MODES = ['TCP', 'RTU', 'RTUoverTCP'] as const
export type Mode = (typeof MODES)[number]
export const WRITE_FUNCTIONS = ['auto', 'single', 'multiple', 'readWrite'] as const
export type WriteFunction = (typeof WRITE_FUNCTIONS)[number]

/** What `protocol.configData` says. */
const RawDeviceConfig = Type.Object(
  {
    mode: Type.Optional(
      Type.Union(
        MODES.map((mode) => Type.Literal(mode)),
        {
          description:
            'Transport: TCP, RTU on a serial port, or RTU frames in a TCP connection, as converters without a protocol of their own have them. Default: RTU where only serialPort is named, TCP otherwise.',
        },
      ),
    ),
    host: Type.Optional(
      Type.String({ minLength: 1, description: 'Name or IP address of the Modbus server, gateway or converter.' }),
    ),
    port: Type.Integer({ default: 502, minimum: 1, maximum: 65535, description: 'TCP port.' }),
    serialPort: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'Device file of the serial line, e.g. /dev/ttyUSB0 or a link below /dev/serial/by-id.',
      }),
    ),
    baudRate: Type.Optional(
      Type.Integer({
        minimum: 50,
        maximum: 4_000_000,
        description:
          'Bits a second of the serial line. Default: 19200. Over TCP: of the line behind the gateway, from which the time on its bus is computed.',
      }),
    ),
    dataBits: Type.Integer({ default: 8, minimum: 5, maximum: 8, description: 'Data bits; RTU needs 8.' }),
    parity: Type.Union([Type.Literal('none'), Type.Literal('even'), Type.Literal('odd')], {
      default: 'even',
      description: 'Parity of the serial line.',
    }),
    stopBits: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 2,
        description: 'Stop bits of the serial line. Default: 1, and 2 without parity, so that a character has 11 bits.',
      }),
    ),
    unitId: Type.Integer({
      default: 1,
      minimum: 0,
      maximum: 255,
      description: 'Unit (slave) on the line or behind the server. On serial lines 1 to 247.',
    }),
    timeout: Type.Optional(
      Type.Integer({
        minimum: 20,
        maximum: 60_000,
        description:
          'Milliseconds within which the device has to answer each request; after them it is offline. On a serial line the time that the characters take is added. Default: 2000, on a serial line 1000.',
      }),
    ),
    maxRegisters: Type.Integer({
      default: 125,
      minimum: 1,
      maximum: 125,
      description: 'Most registers in one request. 1 for devices that answer single registers only.',
    }),
    maxBits: Type.Integer({ default: 2000, minimum: 1, maximum: 2000, description: 'Most bits in one request.' }),
    maxGap: Type.Integer({
      default: 0,
      minimum: 0,
      maximum: 120,
      description:
        'So many registers (or 16 times as many bits) that nobody asked for may be read along, when that saves a request. A gap that the device refuses is tried again after growing waits, up to an hour.',
    }),
    maxWriteRegisters: Type.Integer({
      default: 123,
      minimum: 1,
      maximum: 123,
      description: 'Most registers in one write; bits 16 times as many.',
    }),
    writeFunction: Type.Union(
      WRITE_FUNCTIONS.map((each) => Type.Literal(each)),
      {
        default: 'auto',
        description:
          'How is written: auto takes 5 and 6 for one and 15 and 16 for several; single only 5 and 6; multiple only 15 and 16; readWrite takes 23 for registers.',
      },
    ),
    maskWrite: Type.Boolean({
      default: false,
      description:
        'The device knows function 22, so that bits of a register are written in one step; otherwise the register is read, changed and written.',
    }),
    pause: Type.Integer({
      default: 0,
      minimum: 0,
      maximum: 60_000,
      description: 'Milliseconds that the device wants between an answer and the next request to it.',
    }),
    turnaround: Type.Number({
      default: 0,
      minimum: 0,
      maximum: 60_000,
      description:
        'Milliseconds that the device usually takes before it answers; only for computing the time on the bus. Over TCP, the round trip with it.',
    }),
    units: Type.Optional(
      Type.String({
        pattern: '^\\d{1,3}(-\\d{1,3})?(,\\d{1,3}(-\\d{1,3})?){0,31}$',
        description:
          'Only for skerry discover: which units are asked, e.g. "1-32" or "1,5,20-29". Default: 1 to 247, or unitId alone where a server answers to any unit.',
      }),
    ),
  },
  { title: 'modbus device', description: 'How a Modbus device is reached.' },
)
type Raw = Static<typeof RawDeviceConfig>

/** One unit, on a serial line or behind a socket. */
export interface DeviceConfig {
  readonly mode: Mode
  /** Where the connection is. */
  readonly host: string
  readonly port: number
  readonly serialPort: string
  /** Of the serial line, also one behind a gateway; absent where nothing is known of one. */
  readonly line?: LineSettings
  readonly unitId: number
  /** ms. */
  readonly timeout: number
  readonly maxRegisters: number
  readonly maxBits: number
  readonly maxGap: number
  readonly maxWriteRegisters: number
  readonly writeFunction: WriteFunction
  readonly maskWrite: boolean
  /** ms. */
  readonly pause: number
  readonly turnaround: number
  /** Only for finding devices. */
  readonly units?: readonly number[]
}

const ALIASES = {
  host: ['ip', 'address', 'hostname'],
  serialPort: ['path', 'device', 'tty'],
  unitId: ['slaveID', 'unit', 'deviceID'],
  timeout: ['collectTimeout'],
  mode: ['communicateMode', 'commType', 'transport'],
  baudRate: ['baud'],
}

const schema = configSchema(RawDeviceConfig, {
  aliases: ALIASES,
  values: {
    mode: {
      tcp: 'TCP',
      rtu: 'RTU',
      serial: 'RTU',
      com: 'RTU',
      rtuovertcp: 'RTUoverTCP',
      'rtu-over-tcp': 'RTUoverTCP',
      'rtu over tcp': 'RTUoverTCP',
    },
    parity: { none: 'none', n: 'none', even: 'even', e: 'even', odd: 'odd', o: 'odd' },
    writeFunction: { auto: 'auto', single: 'single', multiple: 'multiple', readwrite: 'readWrite' },
  },
})

export const deviceConfig = refinedSchema(schema, ALIASES, refine)

/** Where a connection goes; devices that answer the same share it. */
export function connectionKey(device: DeviceConfig): string {
  return device.mode === 'RTU' ? device.serialPort : `${device.host}:${device.port}`
}

function refine(raw: Raw, issue: (key: string, message: string) => void): DeviceConfig {
  const { mode: named, host = '', serialPort = '', baudRate, dataBits, parity, stopBits, timeout, units, ...rest } = raw
  const mode = named ?? (serialPort !== '' && host === '' ? 'RTU' : 'TCP')
  if (named === undefined && host !== '' && serialPort !== '') {
    issue('mode', 'is required where both a host and a serialPort are named: TCP, RTU or RTUoverTCP')
  } else if (mode === 'RTU' && serialPort === '') issue('serialPort', 'is required for RTU')
  else if (mode !== 'RTU' && host === '') issue('host', 'is required, or serialPort for a serial line')
  if (mode === 'RTU' && dataBits !== 8) issue('dataBits', 'must be 8: RTU sends whole bytes')
  if (mode !== 'TCP' && rest.unitId === 0) issue('unitId', 'must be 1 to 247: to 0 all units listen and none answers')
  const asked = units === undefined ? undefined : unitsOf(units)
  if (asked?.length === 0 || asked?.some((unitId) => unitId < 1 || unitId > 255)) {
    issue('units', 'must be units from 1 to 255, lowest first: "1-32" or "1,5,20-29"')
  }
  const rate = baudRate ?? (mode === 'RTU' ? 19_200 : undefined)
  const line = { dataBits, parity, stopBits: stopBits ?? (parity === 'none' ? 2 : 1) }
  return {
    ...rest,
    mode,
    host,
    serialPort,
    ...(rate === undefined ? {} : { line: Object.freeze({ baudRate: rate, ...line }) }),
    timeout: timeout ?? (mode === 'RTU' ? 1000 : 2000),
    ...(asked ? { units: Object.freeze(asked) } : {}),
  }
}

/** `1,5,7-9`; a range that goes down is empty. */
function unitsOf(text: string): readonly number[] {
  const units = text.split(',').flatMap((part) => {
    const [first = 0, last = first] = part.split('-').map(Number)
    return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index)
  })
  return [...new Set(units)].sort((a, b) => a - b)
}
