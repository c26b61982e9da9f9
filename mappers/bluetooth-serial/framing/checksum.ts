export const CHECKSUMS = [
  'sum8',
  'xor8',
  'lrc',
  'crc8',
  'crc16-modbus',
  'crc16-ccitt',
  'crc16-xmodem',
  'crc32',
] as const
export type ChecksumKind = (typeof CHECKSUMS)[number]

/** Bytes of the checksum itself. */
export function checksumSize(kind: ChecksumKind): 1 | 2 | 4 {
  if (kind === 'crc32') return 4
  return kind.startsWith('crc16') ? 2 : 1
}

/** As an unsigned integer of its size. */
export function checksum(kind: ChecksumKind, bytes: Uint8Array): number {
  switch (kind) {
    case 'sum8':
      return bytes.reduce((sum, byte) => (sum + byte) & 0xff, 0)
    case 'xor8':
      return bytes.reduce((sum, byte) => sum ^ byte, 0)
    case 'lrc':
      return -bytes.reduce((sum, byte) => sum + byte, 0) & 0xff
    case 'crc8':
      return bytes.reduce((crc, byte) => entry(CRC8, crc ^ byte), 0)
    case 'crc16-modbus':
      return crcRight(bytes, MODBUS, 0xffff)
    case 'crc16-ccitt':
      return crcLeft(bytes, 0xffff)
    case 'crc16-xmodem':
      return crcLeft(bytes, 0)
    case 'crc32':
      return (crcRight(bytes, CRC32, 0xffffffff) ^ 0xffffffff) >>> 0
  }
}

/** What each byte does to a checksum that is zero: bit by bit would let garbage cost ten times as much. */
const CRC8 = tableLeft(8, 0x07)
const CCITT = tableLeft(16, 0x1021)
const MODBUS = tableRight(0xa001)
const CRC32 = tableRight(0xedb88320)

/** Highest bit first. */
function crcLeft(bytes: Uint8Array, initial: number): number {
  let crc = initial
  for (const byte of bytes) crc = ((crc << 8) & 0xffff) ^ entry(CCITT, (crc >> 8) ^ byte)
  return crc
}

/** Lowest bit first. */
function crcRight(bytes: Uint8Array, table: Uint32Array, initial: number): number {
  let crc = initial >>> 0
  for (const byte of bytes) crc = ((crc >>> 8) ^ entry(table, (crc ^ byte) & 0xff)) >>> 0
  return crc
}

function entry(table: Uint32Array, index: number): number {
  return table[index] ?? 0
}

function tableLeft(width: 8 | 16, polynomial: number): Uint32Array {
  const top = 1 << (width - 1)
  const mask = (1 << width) - 1
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte << (width - 8)
    for (let bit = 0; bit < 8; bit++) crc = (crc & top) === 0 ? (crc << 1) & mask : ((crc << 1) ^ polynomial) & mask
    return crc
  })
}

/** The polynomial is reflected. */
function tableRight(polynomial: number): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : ((crc >>> 1) ^ polynomial) >>> 0
    return crc
  })
}
