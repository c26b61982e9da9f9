import { lstat } from 'node:fs/promises'
import { codeOf } from './code-of.ts'

/** Whether anything is at a path, be it a link to nothing. */
export async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    throw error
  }
}
