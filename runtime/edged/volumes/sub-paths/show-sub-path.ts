import type { Stats } from 'node:fs'
import { lstat, mkdir, rmdir, stat, unlink, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { hasCode } from '../../../../platform/lifecycle/index.ts'
import type { Mounts } from '../mounts/mounts.ts'
import { openSubPath } from './open-sub-path.ts'

export interface SubPathPlace {
  /** Folder of the volume. */
  readonly volume: string
  /** In it; checked by `relativePath`. */
  readonly path: string
  /** Where it is shown: a place of this node's own, that no container reaches. */
  readonly target: string
}

/**
 * Where a container runtime finds a part of a volume. It opens paths itself, later, and follows links: so the part is mounted at a
 * place where nobody can put one. Where this node may not mount, the path without links has to do.
 */
export async function showSubPath({ volume, path, target }: SubPathPlace, mounts: Mounts): Promise<string> {
  const found = await openSubPath(volume, path)
  try {
    if (!(await mounts.isAllowed())) return found.path
    const wanted = await found.handle.stat()
    if (await isShown(target, wanted, mounts)) return target
    await clear(target, mounts)
    await mkdir(dirname(target), { recursive: true, mode: 0o700 })
    if (wanted.isDirectory()) await mkdir(target, { mode: 0o700 })
    else await writeFile(target, '', { mode: 0o600, flag: 'wx' })
    await mounts.bind(found.handle.fd, target)
    return target
  } finally {
    await found.handle.close()
  }
}

/** A container that starts again finds it as it was, if it is still what is in the volume. */
async function isShown(target: string, wanted: Stats, mounts: Mounts): Promise<boolean> {
  const shown = await stat(target).catch(absent)
  return shown?.ino === wanted.ino && shown.dev === wanted.dev && (await mounts.isMounted(target))
}

async function clear(target: string, mounts: Mounts): Promise<void> {
  const found = await lstat(target).catch(absent)
  if (!found) return
  if (await mounts.isMounted(target)) {
    await mounts.unmount(target)
    return clear(target, mounts)
  }
  await (found.isDirectory() ? rmdir(target) : unlink(target))
}

function absent(error: unknown): undefined {
  if (!hasCode(error, 'ENOENT')) throw error
}
