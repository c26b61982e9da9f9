import { readFile, stat } from 'node:fs/promises'

/**
 * Whether somebody holds the lock of a port. Opening sets parity and stop bits before it asks for the lock, which would disturb
 * whoever has the port. Linux; elsewhere, and where the kernel does not tell, nobody does.
 */
export async function isLockHeld(path: string): Promise<boolean> {
  const port = await stat(path, { bigint: true }).catch(() => undefined)
  const locks = await readFile('/proc/locks', 'utf8').catch(() => '')
  return port !== undefined && hasLock(locks, port.dev, port.ino)
}

/** Lines of proc(5): `1: FLOCK  ADVISORY  WRITE 812 00:17:5 0 EOF`, with the device in hexadecimal. */
export function hasLock(locks: string, device: bigint, inode: bigint): boolean {
  const [major, minor] = [(device >> 8n) & 0xfffn, (device & 0xffn) | ((device >> 12n) & 0xfff00n)]
  const hex = (number: bigint) => number.toString(16).padStart(2, '0')
  const place = `${hex(major)}:${hex(minor)}:${inode}`
  // A lock that is only waited for has an arrow before its kind.
  return locks.split('\n').some((line) => {
    const [, kind, , , , where] = line.trim().split(/\s+/)
    return kind === 'FLOCK' && where === place
  })
}
