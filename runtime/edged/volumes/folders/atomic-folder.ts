import {
  chmod,
  chown,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rename,
  rmdir,
  symlink,
  unlink,
  writeFile,
} from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { hasCode } from '../../../../platform/lifecycle/index.ts'
import { removeTree } from './remove-tree.ts'

export interface VolumeFile {
  readonly data: Buffer
  readonly mode: number
  /** Whose it is; otherwise that of this process. */
  readonly uid?: number
}

/** By their paths, which `relativePath` has checked. None is a folder of another. */
export type VolumeFiles = ReadonlyMap<string, VolumeFile>

export interface FolderOptions {
  /** Of all files and folders in it, which it may then read. */
  readonly gid?: number
  /** Unix ms. */
  readonly now: number
}

const FOLDER_MODE = 0o755
/** With a group of its own: what is made in a folder belongs to it, and it may read all. */
const GROUP_FOLDER = 0o2550
const GROUP_FILE = 0o440
const CURRENT = '..data'
const NEXT = '..data_tmp'

/**
 * Makes the folder hold these files, all at once for whoever reads them through it: they are in a folder of their own, to which a
 * link leads that is replaced in one step (as a kubelet does it, so that programs that watch `..data` find it). Writes nothing
 * where nothing changed, and clears away what a crash has left. The name of the folder that holds them.
 */
export async function writeAtomicFolder(folder: string, files: VolumeFiles, options: FolderOptions): Promise<string> {
  await mkdir(folder, { recursive: true })
  await allow(folder, FOLDER_MODE, options)
  const before = await currentOf(folder)
  const isSame = before !== undefined && (await holds(join(folder, before), files, options))
  const current = isSame ? before : await replace(folder, files, options)
  await showTopLevel(folder, files)
  await clear(folder, current)
  return current
}

/** The folder in it that holds the files now; undefined where none was ever finished. */
export async function currentOf(folder: string): Promise<string | undefined> {
  const target = await linkAt(join(folder, CURRENT))
  return target !== undefined && /^\.\.[^/]+$/.test(target) ? target : undefined
}

async function replace(folder: string, files: VolumeFiles, options: FolderOptions): Promise<string> {
  const stamp = new Date(options.now)
    .toISOString()
    .replace(/\.\d+Z$/, '')
    .replace(/[-:T]/g, '_')
  const made = await mkdtemp(join(folder, `..${stamp}.`))
  try {
    await fill(made, files, options)
    const name = made.slice(folder.length + 1)
    await removeTree(join(folder, NEXT))
    await symlink(name, join(folder, NEXT))
    await rename(join(folder, NEXT), join(folder, CURRENT))
    return name
  } catch (error) {
    await removeTree(made).catch(() => undefined)
    throw error
  }
}

async function fill(made: string, files: VolumeFiles, options: FolderOptions): Promise<void> {
  await allow(made, FOLDER_MODE, options)
  const folders = new Set([...files.keys()].flatMap(foldersOf))
  for (const each of folders) {
    await mkdir(join(made, each))
    await allow(join(made, each), FOLDER_MODE, options)
  }
  for (const [path, { data, mode, uid }] of files) {
    await writeFile(join(made, path), data, { flag: 'wx', mode: 0o600 })
    await own(join(made, path), uid, options.gid)
    await chmod(join(made, path), fileMode(mode, options))
  }
}

/** Those above a file, the outermost first. */
function foldersOf(path: string): readonly string[] {
  const above = dirname(path)
  return above === '.' ? [] : [...foldersOf(above), above]
}

function fileMode(mode: number, { gid }: FolderOptions): number {
  return gid === undefined ? mode : mode | GROUP_FILE
}

async function allow(folder: string, mode: number, { gid }: FolderOptions): Promise<void> {
  const wanted = gid === undefined ? mode : mode | GROUP_FOLDER
  const found = await lstat(folder)
  if (gid !== undefined && found.gid !== gid) await own(folder, undefined, gid)
  if ((found.mode & 0o7777) !== wanted) await chmod(folder, wanted)
}

/** Only root gives files away. */
async function own(path: string, uid: number | undefined, gid: number | undefined): Promise<void> {
  if (process.geteuid?.() === 0 && (uid !== undefined || gid !== undefined)) await chown(path, uid ?? -1, gid ?? -1)
}

async function holds(folder: string, files: VolumeFiles, options: FolderOptions): Promise<boolean> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  const paths = found.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name))
  if (paths.length !== files.size) return false
  for (const [path, file] of files) if (!(await isAt(join(folder, path), file, options))) return false
  return true
}

async function isAt(path: string, { data, mode, uid }: VolumeFile, options: FolderOptions): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined)
  if (!found?.isFile() || found.size !== data.length || (found.mode & 0o7777) !== fileMode(mode, options)) return false
  if (process.geteuid?.() === 0 && (found.uid !== (uid ?? found.uid) || found.gid !== (options.gid ?? found.gid)))
    return false
  return data.equals(await readFile(path))
}

/** A link for each file or folder at the top, through the one that is replaced. */
async function showTopLevel(folder: string, files: VolumeFiles): Promise<void> {
  const names = new Set([...files.keys()].map((path) => path.split('/')[0] ?? path))
  for (const name of names) await show(folder, name)
  for (const name of await readdir(folder)) {
    if (name.startsWith('..') || names.has(name)) continue
    if ((await linkAt(join(folder, name))) === `${CURRENT}/${name}`) await unlink(join(folder, name))
  }
}

async function show(folder: string, name: string): Promise<void> {
  const [path, target] = [join(folder, name), `${CURRENT}/${name}`]
  const found = await linkAt(path)
  if (found === target) return
  if (found !== undefined) await unlink(path)
  // A folder stands there where a subPath was wanted before its key was there. One that is in use stays.
  await rmdir(path).catch(() => undefined)
  await symlink(target, path).catch((error: unknown) => {
    if (!hasCode(error, 'EEXIST')) throw error
  })
}

async function clear(folder: string, current: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.startsWith('..') && name !== CURRENT && name !== current) await removeTree(join(folder, name))
  }
}

async function linkAt(path: string): Promise<string | undefined> {
  try {
    return await readlink(path)
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'EINVAL')) return undefined
    throw error
  }
}
