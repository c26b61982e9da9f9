import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { dataDirectory } from './data-directory.ts'

/** Where the cloud half of a data directory runs: that of a `skerry up` has its own folder in it. */
export function cloudDirectory(given: string | undefined): string {
  const directory = dataDirectory(given, 'ask')
  return existsSync(join(directory, 'cloud', 'config.yaml')) ? join(directory, 'cloud') : directory
}
