import { readdir, stat } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { Backoff, type Clock, minutes, ms, type Random, seconds } from '../../../platform/time/index.ts'
import { askBuiltIns, askUsed } from './ask.ts'
import { arrange, type CatalogMapper, type CatalogOptions } from './catalog.ts'
import type { Described, FoundDescription } from './describe.ts'
import type { MapperDescription } from './source.ts'

export interface FollowOptions extends Omit<CatalogOptions, 'signal'> {
  readonly random: Random
  /** `isServing`: mappers may start. Before, they can only be listed. */
  onChange(mappers: readonly CatalogMapper[], isServing: boolean): void
}

/** So long all others wait for a mapper of the configuration, which may want to serve the protocol of one of them. */
const HEAD_START = seconds(5)
const AGAIN = { first: seconds(5), most: minutes(5) }
const LOOK = seconds(2)
/** Of a folder. */
const MOST_FILES = 200

/**
 * The mappers of a node as they come: each is asked what it is, and one that cannot be used is asked again when its files have
 * changed, or after a growing wait. None waits long for another.
 */
export async function followCatalog(options: FollowOptions, signal: AbortSignal): Promise<void> {
  const { clock, builtIns, use, onChange } = options
  const used: (Described<FoundDescription> | undefined)[] = use.map(() => undefined)
  let own: readonly Described<MapperDescription>[] = []
  let isServing = use.length === 0
  const tell = () => {
    if (!signal.aborted) onChange(arrange(options, { builtIns: own, used }), isServing)
  }
  const serve = () => {
    if (isServing) return
    isServing = true
    tell()
  }
  tell()
  using _headStart = clock.after(HEAD_START, serve)
  const asking = use.map(({ mapper }, index) =>
    askUntilUsable(mapper, options, signal, (answer) => {
      used[index] = answer
      if (used.every((each) => each !== undefined)) isServing = true
      tell()
    }),
  )
  own = await askBuiltIns(builtIns, { ...options, signal })
  tell()
  await Promise.all(asking)
}

async function askUntilUsable(
  mapper: string,
  options: FollowOptions,
  signal: AbortSignal,
  onAnswer: (answer: Described<FoundDescription>) => void,
): Promise<void> {
  const backoff = new Backoff(AGAIN, options.random)
  while (!signal.aborted) {
    const files = await traceOf(mapper, options.from)
    const answer = await askUsed(mapper, { ...options, signal })
    if (signal.aborted) return
    onAnswer(answer)
    if (answer.ok) return
    const hasChanged = async () => (await traceOf(mapper, options.from)) !== files
    if (await becomesTrue(hasChanged, backoff.next().milliseconds, options.clock, signal)) backoff.reset()
  }
}

/** Whether it does so within the time. */
async function becomesTrue(
  look: () => Promise<boolean>,
  milliseconds: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<boolean> {
  const end = clock.monotonic() + milliseconds
  while (!signal.aborted && clock.monotonic() < end) {
    await clock.sleep(ms(Math.min(LOOK.milliseconds, end - clock.monotonic())), signal).catch(() => undefined)
    if (await look()) return true
  }
  return false
}

/** Differs when a file of the mapper was changed, as far as that can be told without loading it. */
async function traceOf(mapper: string, from: readonly string[]): Promise<string> {
  const places = isAbsolute(mapper) ? [mapper] : from.map((folder) => join(folder, 'node_modules', mapper))
  const traces = await Promise.all(
    places.map(async (place) => {
      const names = await readdir(place).catch(() => [])
      return Promise.all([place, ...names.slice(0, MOST_FILES).map((name) => join(place, name))].map(stampOf))
    }),
  )
  return JSON.stringify(traces)
}

async function stampOf(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined)
  return found === undefined ? '' : `${path} ${found.mtimeMs} ${found.size}`
}
