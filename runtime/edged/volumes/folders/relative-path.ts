import { posix } from 'node:path'

/** Linux: NAME_MAX and PATH_MAX, bytes. */
const LONGEST_NAME = 255
const LONGEST_PATH = 4096

/** A path that stays where it begins, in its plainest form; undefined for any other. */
export function relativePath(path: string): string | undefined {
  const plain = posix.normalize(path).replace(/\/$/, '')
  const parts = path.split('/')
  const isBad = path === '' || path.startsWith('/') || path.includes('\0') || parts.includes('..') || plain === '.'
  const isLong = Buffer.byteLength(path) > LONGEST_PATH || parts.some((part) => Buffer.byteLength(part) > LONGEST_NAME)
  return isBad || isLong ? undefined : plain
}
