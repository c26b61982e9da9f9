import { existsSync } from 'node:fs'
import { link, mkdir, rename, rm } from 'node:fs/promises'
import { dirname, join, normalize, resolve } from 'node:path'
import { goBack, kubernetesStore } from '../../../hub/apiserver/index.ts'
import { ensureDirectory, lockDirectory, writeFileAtomic } from '../../../platform/files/index.ts'
import { ConfigError } from '../../../platform/lifecycle/index.ts'
import { silentLogger } from '../../../platform/log/index.ts'
import { type ArchiveContent, openStore, readArchive, unpackDatabase } from '../../../platform/store/index.ts'
import { systemClock } from '../../../platform/time/index.ts'
import type { CommonOptions } from '../command-options.ts'
import { dataDirectory, prepareDataDirectory } from '../data-directory.ts'
import { EXIT } from '../exit.ts'
import type { Console } from '../terminal.ts'
import { BACKED_UP, DATABASE } from './backup.ts'

export interface RestoreOptions extends CommonOptions {
  readonly force?: boolean
}

/** `skerry restore FILE`: into a data directory that is empty, or with --force in place of what is there; never of a running process. */
export async function restore(file: string, options: RestoreOptions, terminal: Console): Promise<number> {
  const archive = resolve(file)
  const content = readArchive(archive)
  const folder = folderOf(dataDirectory(options.data, 'ask'), content)
  await prepareDataDirectory(folder)
  await using _lock = await lockDirectory(folder)
  const present = [DATABASE, ...BACKED_UP].filter((each) => existsSync(join(folder, each)))
  if (present.some((each) => each !== 'config.yaml') && options.force !== true) {
    throw new ConfigError(
      `${folder} holds a Kubernetes API already: name an empty directory, or replace it with --force`,
      {
        code: 'PROCESS_RESTORE_NOT_EMPTY',
      },
    )
  }
  const draft = join(folder, `${DATABASE}.restoring`)
  unpackDatabase(archive, draft)
  const { objects, version } = await fitToServe(draft)
  const aside = await putAside(folder, present)
  for (const { path, text } of content.files) {
    const target = join(folder, inside(path, archive))
    if (path === 'config.yaml' && existsSync(target)) continue
    await ensureDirectory(dirname(target), 0o700)
    await writeFileAtomic(target, text, 0o600)
  }
  for (const suffix of ['-wal', '-shm']) await rm(join(folder, `${DATABASE}${suffix}`), { force: true })
  await rename(draft, join(folder, DATABASE))
  const made = content.about['made'] ?? ''
  const lines = [
    `${folder} holds the Kubernetes API as it was at ${made}: ${objects} objects.`,
    ...(aside === undefined ? [] : [`What was there before is in ${aside}; delete it once all is well.`]),
    'Start the cloud half: its clients list everything again, and its gateways are told everything anew.',
  ]
  terminal.print(
    options.output,
    { directory: folder, made, objects, version, ...(aside && { aside }) },
    lines.join('\n'),
  )
  return EXIT.ok
}

/** The cloud half of a `skerry up` has a folder of its own. */
function folderOf(directory: string, { about }: ArchiveContent): string {
  const cloud = join(directory, 'cloud')
  return about['folder'] === 'cloud' || existsSync(join(cloud, 'config.yaml')) ? cloud : directory
}

async function fitToServe(draft: string) {
  const store = await openStore(draft, [kubernetesStore], { clock: systemClock, log: silentLogger })
  try {
    return await goBack(store, systemClock)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  } finally {
    await store[Symbol.asyncDispose]()
  }
}

/**
 * Until the new database takes the name, the old one keeps it: whenever this ends early, a start finds one of the two, and
 * the same command again brings it to its end.
 */
async function putAside(folder: string, present: readonly string[]): Promise<string | undefined> {
  if (present.every((each) => each === 'config.yaml')) return undefined
  const time = new Date(systemClock.now()).toISOString().replaceAll(/[-:]|\.\d+/g, '')
  const aside = join(folder, `replaced-${time}`)
  await mkdir(aside, { recursive: true, mode: 0o700 })
  for (const each of [DATABASE, `${DATABASE}-wal`]) {
    if (existsSync(join(folder, each))) await link(join(folder, each), join(aside, each))
  }
  for (const each of present) {
    if (each !== DATABASE && each !== 'config.yaml') await rename(join(folder, each), join(aside, each))
  }
  return aside
}

/** A path of an archive does not lead out of the folder. */
function inside(path: string, archive: string): string {
  const clean = normalize(path)
  if (BACKED_UP.some((each) => clean === each || clean.startsWith(`${each}/`))) return clean
  throw new ConfigError(`${archive} holds a file that no backup holds: ${path}`, { code: 'PROCESS_RESTORE_PATH' })
}
