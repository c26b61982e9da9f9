import { statSync } from 'node:fs'
import { basename } from 'node:path'
import type { Metrics } from '../health/metrics.ts'
import type { Module } from '../lifecycle/module.ts'
import type { Logger } from '../log/logger.ts'
import { Backoff } from '../time/backoff.ts'
import type { Clock } from '../time/clock.ts'
import { type Duration, minutes, ms, seconds } from '../time/duration.ts'
import type { Random } from '../time/random.ts'
import { filesOf } from './files.ts'
import type { OpenedStore } from './store.ts'

export interface StoreModuleOptions {
  readonly store: OpenedStore
  readonly file: string
  /** No milliseconds: no backups. */
  readonly backup: { readonly every: Duration; readonly keep: number }
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics: Metrics
}

/** After a start, which has enough to do. */
const FIRST_AFTER = seconds(30)
const RETRY = { first: minutes(1), most: minutes(60) }

/**
 * Makes the backups of an opened store. It crashes when damage is met, for good: what is in memory is newer than a backup, so
 * only a start of the process goes back to one. In the list of a composition its restart limit has to be 0.
 */
export function createStoreModule(options: StoreModuleOptions): Module {
  const { store, backup } = options
  return {
    name: 'Store',
    async start(scope) {
      scope.run(async (signal) => {
        const stopped = new Promise<undefined>((resolve) =>
          signal.addEventListener('abort', () => resolve(undefined), { once: true }),
        )
        const damage = await Promise.race([store.damage, stopped])
        if (damage) throw damage
      })
      const followed = followBackups(options)
      scope.use(followed)
      if (backup.every.milliseconds > 0) scope.run((signal) => keepBackups(options, followed, signal))
    },
  }
}

async function keepBackups(options: StoreModuleOptions, followed: Followed, signal: AbortSignal): Promise<void> {
  const { store, file, backup, clock, random, log } = options
  const backoff = new Backoff(RETRY, random)
  let wait = firstWait(options)
  let commits: number | undefined
  while (await slept(clock, wait, signal)) {
    wait = backup.every
    const now = store.commits
    if (commits === now || (commits === undefined && now === 0 && !isNewerThanBackup(file))) continue
    const start = clock.monotonic()
    try {
      await store.backup(backup.keep, signal)
      commits = now
      backoff.reset()
      followed.count('made')
      log.info('The database was backed up', { file, milliseconds: Math.round(clock.monotonic() - start) })
    } catch (error) {
      if (signal.aborted) return
      followed.count('failed')
      wait = backoff.next()
      if (backoff.failures === 1) log.error('The database was not backed up; trying again later', { file, error })
    }
  }
}

/** False when the signal ended it. */
async function slept(clock: Clock, wait: Duration, signal: AbortSignal): Promise<boolean> {
  try {
    await clock.sleep(wait, signal)
    return true
  } catch {
    // The signal's reason.
    return false
  }
}

/** A restart does not put off the next backup, and does not make one. */
function firstWait({ file, backup, clock }: StoreModuleOptions): Duration {
  const last = timeOf(filesOf(file).backup(1))
  const every = backup.every.milliseconds
  const left = last === undefined ? 0 : Math.min(every, last + every - clock.now())
  return ms(Math.max(left, Math.min(every, FIRST_AFTER.milliseconds)))
}

/** Of an earlier run; a checkpoint touches the file, too. */
function isNewerThanBackup(file: string): boolean {
  const { log, backup } = filesOf(file)
  const last = timeOf(backup(1))
  return last === undefined || Math.max(timeOf(file) ?? 0, timeOf(log) ?? 0) > last
}

function timeOf(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs
}

interface Followed extends Disposable {
  count(outcome: 'made' | 'failed'): void
}

function followBackups({ file, metrics }: StoreModuleOptions): Followed {
  const own = { store: basename(file) }
  const made = metrics.counter({
    name: 'skerry_store_backups_total',
    help: 'Backups of the database, by outcome.',
    labels: ['store', 'outcome'],
  })
  const followed = metrics
    .gauge({
      name: 'skerry_store_backup_timestamp_seconds',
      help: 'When the newest backup was made, Unix time; 0 when there is none.',
      labels: ['store'],
    })
    .follow(() => (timeOf(filesOf(file).backup(1)) ?? 0) / 1000, own)
  return {
    count: (outcome) => made.add(1, { ...own, outcome }),
    [Symbol.dispose]: () => followed[Symbol.dispose](),
  }
}
