import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { readFileIfPresent, removeFile, writeFileAtomic } from '../files/atomic.ts'

/** The kernel takes 107 bytes (Linux) or 103 (others) for the path of a unix socket. */
const LONGEST = 100
const PREFIX = 'skerry-'

/** Where the control socket of a folder is to be made. What a killed process left is removed; the folder's lock is held. */
export async function prepareControlPath(dir: string): Promise<string> {
  await removeControlPath(dir)
  const direct = directPath(dir)
  if (fits(direct)) return direct
  const short = join(await mkdtemp(join(tmpdir(), PREFIX)), 'control.sock')
  await writeFileAtomic(pointerPath(dir), short, 0o600)
  return short
}

/** Where the control socket of a folder is; undefined when no process has made one. */
export async function findControlPath(dir: string): Promise<string | undefined> {
  const direct = directPath(dir)
  if (fits(direct)) return direct
  return (await readFileIfPresent(pointerPath(dir)))?.trim()
}

export async function removeControlPath(dir: string): Promise<void> {
  await removeFile(directPath(dir))
  const pointer = (await readFileIfPresent(pointerPath(dir)))?.trim()
  if (pointer === undefined) return
  // Only a folder that mkdtemp made for us goes whole.
  if (dirname(pointer).startsWith(join(tmpdir(), PREFIX))) await rm(dirname(pointer), { recursive: true, force: true })
  await removeFile(pointerPath(dir))
}

function directPath(dir: string): string {
  return join(dir, 'control.sock')
}

function pointerPath(dir: string): string {
  return join(dir, 'control.path')
}

function fits(path: string): boolean {
  return Buffer.byteLength(path) <= LONGEST
}
