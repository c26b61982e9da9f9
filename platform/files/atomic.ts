import { randomBytes } from 'node:crypto'
import { chmod, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { hasCode } from '../lifecycle/error-code.ts'
import { ConfigError } from '../lifecycle/errors.ts'
import { notWritten } from './not-written.ts'

/**
 * Replaces a file so that a reader, also one after a power cut, sees the old content or the new one. Resolves when the new
 * one is durable. `mode` holds from its first byte on, whatever the umask is. Rejects with an UnavailableError that names the file
 * and says what to do; then nothing of the new one is left.
 */
export async function writeFileAtomic(path: string, data: string | Uint8Array, mode: number): Promise<void> {
  const folder = dirname(path)
  const temporary = join(folder, `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`)
  try {
    const file = await open(temporary, 'wx', mode)
    try {
      await file.chmod(mode)
      await file.writeFile(data)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    // Where it could not even be made, removing it may fail likewise.
    await rm(temporary, { force: true }).catch(() => undefined)
    throw notWritten(path, error)
  }
  await syncFolder(folder)
}

/** The file's text (UTF-8); undefined when there is none. */
export async function readFileIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
}

/**
 * Makes the folder and those above it with this mode. One that is there and is ours loses the rights that others have beyond
 * the mode; one of somebody else, or shared (sticky), where others may write is refused with ConfigError.
 */
export async function ensureDirectory(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode })
  } catch (error) {
    if (!hasCode(error, 'EEXIST', 'ENOTDIR')) throw notWritten(path, error)
    throw new ConfigError('A folder is needed where there is a file', {
      code: 'PLATFORM_NOT_A_FOLDER',
      fields: { path },
      cause: error,
    })
  }
  if (process.platform === 'win32') return
  const found = await stat(path)
  const excess = found.mode & 0o077 & ~mode
  if (excess === 0) return
  if (found.uid === process.geteuid?.() && (found.mode & STICKY) === 0) {
    await chmod(path, found.mode & 0o777 & ~excess)
  } else if ((excess & 0o022) !== 0) {
    throw new ConfigError('Other users may write to this folder; name one of your own', {
      code: 'PLATFORM_FOLDER_SHARED',
      fields: { path, mode: (found.mode & 0o7777).toString(8) },
    })
  }
}

const STICKY = 0o1000

/** Removes a file; fine when there is none. */
export async function removeFile(path: string): Promise<void> {
  await rm(path, { force: true })
}

async function syncFolder(folder: string): Promise<void> {
  // Windows cannot open a folder; its rename is durable with the file.
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
