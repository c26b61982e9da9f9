import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { environment } from '../../platform/config/index.ts'

/** Folder that `skerry up` uses when none is named. */
export const LOCAL_DATA = '.skerry'

/**
 * The data directory of a command: `--data`, else `$SKERRY_DATA`, else `.skerry` here for `up`, and for the rest
 * `/var/lib/skerry` as root or `~/.local/share/skerry`. A command that looks at a running process and finds nothing there
 * takes `.skerry` of the working directory, so that `skerry status` answers after a plain `skerry up`.
 */
export function dataDirectory(given: string | undefined, command: 'up' | 'run' | 'ask'): string {
  const named = given ?? environment('SKERRY_DATA')
  if (named !== undefined && named !== '') return resolve(named)
  if (command === 'up') return resolve(LOCAL_DATA)
  const system = process.getuid?.() === 0 ? '/var/lib/skerry' : join(homedir(), '.local', 'share', 'skerry')
  if (command === 'ask' && !isUsed(system) && isUsed(resolve(LOCAL_DATA))) return resolve(LOCAL_DATA)
  return system
}

function isUsed(directory: string): boolean {
  return existsSync(join(directory, 'endpoints.json'))
}
