import { lstat } from 'node:fs/promises'
import { hasCode } from '../../../../platform/lifecycle/index.ts'

/** Whether anything is at a path, be it a link to nothing. */
export async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false
    throw error
  }
}
