import { existsSync } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { ConfigError } from '../../../platform/lifecycle/index.ts'
import { type ArchivedFile, writeArchive } from '../../../platform/store/index.ts'
import { systemClock } from '../../../platform/time/index.ts'
import { cloudDirectory } from '../cloud-directory.ts'
import type { CommonOptions } from '../command-options.ts'
import { dataDirectory } from '../data-directory.ts'
import { EXIT } from '../exit.ts'
import type { Console } from '../terminal.ts'
import { version } from '../version.ts'

export interface BackupOptions extends CommonOptions {
  readonly force?: boolean
}

/** What of the folder of a cloud half belongs to its database; all else is made anew at a start. */
export const BACKED_UP = ['pki', 'users', 'config.yaml'] as const
export const DATABASE = 'kubernetes.db'

/** `skerry backup FILE`: the embedded API with its certificates and keys, while it runs or not. */
export async function backup(file: string, options: BackupOptions, terminal: Console): Promise<number> {
  const directory = cloudDirectory(options.data)
  const database = join(directory, DATABASE)
  if (!existsSync(database)) {
    throw new ConfigError(`${directory} holds no embedded Kubernetes API: name its data directory with --data`, {
      code: 'PROCESS_BACKUP_NOTHING',
    })
  }
  const target = resolve(file)
  const files = (await Promise.all(BACKED_UP.map((each) => filesBelow(directory, each)))).flat()
  const made = new Date(systemClock.now()).toISOString()
  const about = { made, skerry: version, folder: directory === dataDirectory(options.data, 'ask') ? '.' : 'cloud' }
  writeArchive({ database, target, files, about, force: options.force === true })
  const { size: bytes } = await stat(target)
  terminal.print(
    options.output,
    { file: target, bytes, made },
    [
      `${target}: the Kubernetes API of ${directory}, ${megabytes(bytes)}, made ${made}.`,
      'It holds the keys of the API and all Secrets in clear text: whoever reads it is its administrator. Keep it as safe as that.',
    ].join('\n'),
  )
  return EXIT.ok
}

async function filesBelow(directory: string, path: string): Promise<readonly ArchivedFile[]> {
  const full = join(directory, path)
  const found = await stat(full).catch(() => undefined)
  if (!found) return []
  if (!found.isDirectory()) return [{ path, text: await readFile(full, 'utf8') }]
  const entries = await readdir(full, { withFileTypes: true, recursive: true })
  const paths = entries
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.tmp'))
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
  return await Promise.all(
    paths.map(async (each) => ({ path: each, text: await readFile(join(directory, each), 'utf8') })),
  )
}

function megabytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`
}
