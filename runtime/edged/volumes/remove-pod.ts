import { readdir } from 'node:fs/promises'
import { hasCode, UnavailableError } from '../../../platform/lifecycle/index.ts'
import { isThere } from './folders/is-there.ts'
import { removeTree } from './folders/remove-tree.ts'
import type { Mounts } from './mounts/mounts.ts'

/**
 * Unmounts what is mounted in the folder of a pod, as the kernel tells it, and removes the folder. Repeating it goes on where a
 * crash or a failure left it. What cannot be unmounted is of somebody else: nothing is removed then.
 */
export async function removePod(folder: string, mounts: Mounts): Promise<void> {
  if (!(await isThere(folder))) return
  let left = await mounts.under(folder)
  // Asked anew after each: one may take others with it, where they show each other's mounts.
  for (let most = left.length; most > 0 && left[0]; most--) {
    await mounts.unmount(left[0].path)
    left = await mounts.under(folder)
  }
  if (left[0]) {
    throw new UnavailableError('Something is still mounted where a pod has its files, so they are not removed', {
      code: 'EDGED_STILL_MOUNTED',
      fields: { path: left[0].path },
    })
  }
  await removeTree(folder)
}

/** Names of the folders in a folder; none where it is not there. */
export async function foldersIn(folder: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true })
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return []
    throw error
  }
}
