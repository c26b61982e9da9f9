import type { Stats } from 'node:fs'
import { mkdir, open, stat } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import { codeOf, hasCode } from '../../../../platform/lifecycle/index.ts'
import type { HOST_PATH_TYPES } from '../../pod/schema/volume.ts'

type HostPathType = (typeof HOST_PATH_TYPES)[number]

interface HostPath {
  readonly path: string
  readonly type: HostPathType
}

/** How each type is called for people, and how it is known. */
const KINDS: Readonly<Record<Exclude<HostPathType, ''>, readonly [string, (found: Stats) => boolean]>> = {
  Directory: ['folder', (found) => found.isDirectory()],
  DirectoryOrCreate: ['folder', (found) => found.isDirectory()],
  File: ['file', (found) => found.isFile()],
  FileOrCreate: ['file', (found) => found.isFile()],
  Socket: ['socket', (found) => found.isSocket()],
  CharDevice: ['character device', (found) => found.isCharacterDevice()],
  BlockDevice: ['block device', (found) => found.isBlockDevice()],
}

/** What is of this node at the path is of the type; what may be made is made. Rejects with why not, for people. */
export async function ensureHostPath({ path, type }: HostPath): Promise<void> {
  if (!isAbsolute(path) || path.split('/').includes('..')) {
    throw new Error(`hostPath ${JSON.stringify(path)} has to be absolute and without ".."`)
  }
  if (type === '') return
  const [kind, isOf] = KINDS[type]
  const found = (await statOf(path)) ?? (await made(path, type))
  if (!found) throw new Error(`there is no ${path} on this node, and its type is ${type}`)
  if (!isOf(found)) throw new Error(`${path} on this node is not a ${kind}, and its type is ${type}`)
}

async function made(path: string, type: HostPathType): Promise<Stats | undefined> {
  try {
    if (type === 'DirectoryOrCreate') await mkdir(path, { recursive: true, mode: 0o755 })
    if (type === 'FileOrCreate') await (await open(path, 'a', 0o644)).close()
  } catch (error) {
    throw new Error(`${path} on this node cannot be made (${codeOf(error)})`, { cause: error })
  }
  return statOf(path)
}

async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path)
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw error
  }
}
