import { randomUUID } from 'node:crypto'
import { lstat, opendir, rename, rmdir, unlink } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { hasCode, UnavailableError } from '../../../../platform/lifecycle/index.ts'
import { OpenFolder } from './open-folder.ts'

/** Folders that are open at a time. What is deeper comes to the top first, so that no tree is too deep. */
const MOST_OPEN = 32
/** `opendir` with it gives each byte of a name as one character: names need not be UTF-8. */
const BYTES = 'latin1'

/**
 * Removes a file, a link or a folder with all in it; fine when there is none. No link is followed, also not one that is put there
 * meanwhile. Where something is mounted in it this rejects with an UnavailableError, and what is mounted is left as it is.
 */
export async function removeTree(path: string): Promise<void> {
  const found = await lstat(path).catch(absent)
  if (!found) return
  if (!found.isDirectory()) return unlink(path)
  await using parent = await OpenFolder.at(dirname(path))
  await removeFolder({ parent, name: basename(path), encoding: 'utf8', path, mount: await parent.mountId() }, [])
}

/** Removes what is in a folder, and leaves the folder. */
export async function emptyFolder(path: string): Promise<void> {
  await using folder = await OpenFolder.at(path)
  await empty(folder, { path, mount: await folder.mountId() }, [])
}

interface Place {
  /** For people. */
  readonly path: string
  readonly mount: string
}

interface Child extends Place {
  readonly parent: OpenFolder
  readonly name: string
  readonly encoding: BufferEncoding
}

async function removeFolder(child: Child, above: readonly OpenFolder[]): Promise<void> {
  const { parent, name, encoding, path, mount } = child
  {
    await using folder = await parent.folder(name, encoding)
    if ((await folder.mountId()) !== mount) throw stillMounted(path)
    await empty(folder, { path, mount }, above)
  }
  await rmdir(parent.in(name, encoding)).catch((error: unknown) => Promise.reject(told(error, path)))
}

async function empty(folder: OpenFolder, place: Place, above: readonly OpenFolder[]): Promise<void> {
  // Again until nothing is found: what is removed while a folder is read may hide the next ones.
  for (let isEmpty = false; !isEmpty; ) {
    isEmpty = true
    for await (const entry of await opendir(folder.path, { encoding: BYTES })) {
      isEmpty = false
      await remove(folder, { ...place, name: entry.name, isFolder: entry.isDirectory() }, above)
    }
  }
}

async function remove(
  parent: OpenFolder,
  entry: Place & { readonly name: string; readonly isFolder: boolean },
  above: readonly OpenFolder[],
): Promise<void> {
  const { name, isFolder, mount } = entry
  const path = `${entry.path}/${Buffer.from(name, BYTES).toString('utf8')}`
  const here = parent.in(name, BYTES)
  const [top] = above
  if (!isFolder) await unlink(here).catch((error: unknown) => Promise.reject(told(error, path)))
  else if (top && above.length >= MOST_OPEN) await rename(here, top.in(`deep-${randomUUID()}`))
  else await removeFolder({ parent, name, encoding: BYTES, path, mount }, [...above, parent])
}

function told(error: unknown, path: string): unknown {
  return hasCode(error, 'EBUSY') ? stillMounted(path, error) : error
}

function stillMounted(path: string, cause?: unknown): UnavailableError {
  return new UnavailableError('Something is still mounted where a pod has its files, so they are not removed', {
    code: 'EDGED_STILL_MOUNTED',
    fields: { path },
    cause,
  })
}

function absent(error: unknown): undefined {
  if (!hasCode(error, 'ENOENT')) throw error
}
