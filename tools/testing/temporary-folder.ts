import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const made: string[] = []

/**
 * A folder of this test file. It goes when its process ends: hooks of a test run in the order in which they were
 * registered, and one that removes a folder in which a store still writes fails now and then.
 */
export function temporaryFolder(prefix = 'skerry-test-'): string {
  const folder = mkdtempSync(join(tmpdir(), prefix))
  if (made.push(folder) === 1) {
    process.once('exit', () => {
      for (const each of made) rmSync(each, { recursive: true, force: true })
    })
  }
  return folder
}
