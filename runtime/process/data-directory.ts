import { constants, existsSync } from 'node:fs'
import { access } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { environment } from '../../platform/environment/index.ts'
import { ensureDirectory } from '../../platform/files/index.ts'
import { ConfigError, codeOf, SkerryError } from '../../platform/lifecycle/index.ts'

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
  if (command === 'ask' && !isRunning(system) && existsSync(resolve(LOCAL_DATA))) return resolve(LOCAL_DATA)
  return system
}

/** Makes the data directory where it is missing. One that this user cannot write in is refused before anything else fails there. */
export async function prepareDataDirectory(directory: string): Promise<void> {
  try {
    await ensureDirectory(directory, 0o700)
    await access(directory, constants.W_OK | constants.X_OK)
  } catch (error) {
    const code = codeOf(error instanceof SkerryError ? error.cause : error)
    if (code === undefined || !CANNOT_WRITE.has(code)) throw error
    throw new ConfigError(`the data directory ${directory} cannot be written: name another one with --data`, {
      code: 'PROCESS_DATA_NOT_WRITABLE',
    })
  }
}

const CANNOT_WRITE: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EROFS'])

/** A process removes its endpoints when it stops. */
function isRunning(directory: string): boolean {
  return existsSync(join(directory, 'endpoints.json'))
}
