import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { readFileIfPresent, removeFile, writeFileAtomic } from '../files/atomic.ts'

/** The kernel takes 107 bytes (Linux) or 103 (others) for the path of a unix socket. */
const LONGEST = 100
const PREFIX = 'skerry-'

/**
 * Where the socket of this name of a folder is to be made: `DIR/<name>.sock`, or a short path that `DIR/<name>.path` says. What a killed
 * process left is removed; the folder's lock is held.
 */
export async function prepareSocketPath(dir: string, name: string): Promise<string> {
  await removeSocketPath(dir, name)
  const direct = directPath(dir, name)
  if (fits(direct)) return direct
  const short = join(await mkdtemp(join(tmpdir(), PREFIX)), `${name}.sock`)
  await writeFileAtomic(pointerPath(dir, name), short, 0o600)
  return short
}

/** Where that socket is; undefined when no process has made one. */
export async function findSocketPath(dir: string, name: string): Promise<string | undefined> {
  const direct = directPath(dir, name)
  if (fits(direct)) return direct
  return (await readFileIfPresent(pointerPath(dir, name)))?.trim()
}

export async function removeSocketPath(dir: string, name: string): Promise<void> {
  await removeFile(directPath(dir, name))
  const pointer = (await readFileIfPresent(pointerPath(dir, name)))?.trim()
  if (pointer === undefined) return
  // Only a folder that mkdtemp made for us goes whole.
  if (dirname(pointer).startsWith(join(tmpdir(), PREFIX))) await rm(dirname(pointer), { recursive: true, force: true })
  await removeFile(pointerPath(dir, name))
}

function directPath(dir: string, name: string): string {
  return join(dir, `${name}.sock`)
}

function pointerPath(dir: string, name: string): string {
  return join(dir, `${name}.path`)
}

function fits(path: string): boolean {
  return Buffer.byteLength(path) <= LONGEST
}
