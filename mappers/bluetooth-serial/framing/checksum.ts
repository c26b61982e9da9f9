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
      return crcLeft(bytes, 8, 0x07, 0)
    case 'crc16-modbus':
      return crcRight(bytes, 0xa001, 0xffff)
    case 'crc16-ccitt':
      return crcLeft(bytes, 16, 0x1021, 0xffff)
    case 'crc16-xmodem':
      return crcLeft(bytes, 16, 0x1021, 0)
    case 'crc32':
      return (crcRight(bytes, 0xedb88320, 0xffffffff) ^ 0xffffffff) >>> 0
  }
}

/** Highest bit first. */
function crcLeft(bytes: Uint8Array, width: 8 | 16, polynomial: number, initial: number): number {
  const top = 1 << (width - 1)
  const mask = (1 << width) - 1
  let crc = initial
  for (const byte of bytes) {
    crc ^= byte << (width - 8)
    for (let bit = 0; bit < 8; bit++) crc = (crc & top) === 0 ? (crc << 1) & mask : ((crc << 1) ^ polynomial) & mask
  }
  return crc
}

/** Lowest bit first; the polynomial is reflected. */
function crcRight(bytes: Uint8Array, polynomial: number, initial: number): number {
  let crc = initial >>> 0
  for (const byte of bytes) {
    crc = (crc ^ byte) >>> 0
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : ((crc >>> 1) ^ polynomial) >>> 0
  }
  return crc
}
