import { constants } from 'node:fs'
import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { hasCode } from '../../../platform/lifecycle/index.ts'

/** A file of the folder: its text, or why it has none. Neither: it went while it was read. */
export interface ManifestFile {
  readonly path: string
  readonly text?: string
  readonly refusal?: string
}

/** No Pod is so large; in YAML it would keep everything else waiting. */
export const LARGEST = 512 * 1024
export const MOST_FILES = 500

/** The files of a folder by name, without hidden ones and without those in its folders. Rejects where the folder cannot be read. */
export async function manifestFiles(folder: string): Promise<readonly ManifestFile[]> {
  const names = (await readdir(folder)).filter((name) => !name.startsWith('.')).sort()
  const files: ManifestFile[] = []
  for (const [at, name] of names.entries()) {
    const path = join(folder, name)
    if (at >= MOST_FILES) files.push({ path, refusal: `there are more than ${MOST_FILES} files in the folder` })
    else files.push(await read(path))
  }
  return files
}

async function read(path: string): Promise<ManifestFile> {
  try {
    // Links are followed. A pipe without a writer must not hold everything up.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    const status = await file.stat()
    if (!status.isFile()) return { path, refusal: 'it is not a file' }
    const room = Math.min(status.size, LARGEST) + 1
    const { buffer, bytesRead } = await file.read(Buffer.alloc(room), 0, room, 0)
    if (bytesRead > LARGEST) return { path, refusal: `it is larger than ${LARGEST} bytes` }
    return { path, text: buffer.subarray(0, bytesRead).toString() }
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return { path }
    return { path, refusal: `it cannot be read: ${error instanceof Error ? error.message : String(error)}` }
  }
}
