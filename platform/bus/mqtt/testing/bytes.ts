/** MQTT 3.1.1 packets made by hand, so that they may also be wrong. */
export function packet(head: number, ...parts: readonly (Uint8Array | readonly number[])[]): Buffer {
  const body = Buffer.concat(parts.map((part) => Uint8Array.from(part)))
  return Buffer.concat([Buffer.from([head, ...lengthOf(body.length)]), body])
}

export function text(value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes])
}

export function word(value: number): readonly number[] {
  return [value >> 8, value & 255]
}

export interface ConnectFields {
  readonly id?: string | Uint8Array
  readonly clean?: boolean
  readonly name?: string
  readonly level?: number
  readonly keepAlive?: number
  readonly will?: { topic: string; payload?: string; qos?: number; retain?: boolean }
  /** More bits of the connect flags. */
  readonly flags?: number
  /** What follows the client id and the will. */
  readonly rest?: Uint8Array
}

export function connect(fields: ConnectFields = {}): Buffer {
  const { id = '', clean = true, name = 'MQTT', level = 4, keepAlive = 0, will, flags = 0, rest } = fields
  const willFlags = will ? 4 | ((will.qos ?? 0) << 3) | (will.retain ? 32 : 0) : 0
  const willBytes = will ? Buffer.concat([text(will.topic), text(will.payload ?? '')]) : []
  const bits = (clean ? 2 : 0) | willFlags | flags
  return packet(0x10, text(name), [level, bits], word(keepAlive), text(id), willBytes, rest ?? [])
}

export interface PublishFields {
  readonly qos?: number
  readonly id?: number
  readonly retain?: boolean
  readonly dup?: boolean
}

export function publish(
  topic: string | Uint8Array,
  payload: string | Uint8Array = '',
  fields: PublishFields = {},
): Buffer {
  const { qos = 0, id = 1, retain = false, dup = false } = fields
  const head = 0x30 | (dup ? 8 : 0) | (qos << 1) | (retain ? 1 : 0)
  return packet(head, text(topic), qos > 0 ? word(id) : [], Buffer.from(payload))
}

export function subscribe(
  id: number,
  ...filters: readonly (readonly [filter: string | Uint8Array, qos: number])[]
): Buffer {
  return packet(0x82, word(id), ...filters.map(([filter, qos]) => Buffer.concat([text(filter), Buffer.from([qos])])))
}

export function unsubscribe(id: number, ...filters: readonly string[]): Buffer {
  return packet(0xa2, word(id), ...filters.map(text))
}

export const puback = (id: number) => packet(0x40, word(id))
export const pubrec = (id: number) => packet(0x50, word(id))
export const pubrel = (id: number) => packet(0x62, word(id))
export const pubcomp = (id: number) => packet(0x70, word(id))
export const pingreq = packet(0xc0)
export const disconnect = packet(0xe0)

function lengthOf(length: number): readonly number[] {
  return length < 128 ? [length] : [(length & 127) | 128, ...lengthOf(length >> 7)]
}
