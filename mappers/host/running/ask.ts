import { runApart, runForeign } from '../../../platform/apart/index.ts'
import { packError } from '../../../platform/lifecycle/index.ts'
import { type Clock, seconds } from '../../../platform/time/index.ts'
import type { Described, FoundDescription } from './describe.ts'
import { type MapperDescription, type MapperSource, withinLoading } from './source.ts'

export interface AskOptions {
  /** Folders in whose `node_modules`, and above, packages are looked for. */
  readonly from: readonly string[]
  readonly clock: Clock
  readonly signal?: AbortSignal
}

/** A slow card may take long to load a protocol. */
const LOADING = seconds(60)
const LOADING_OTHERS = seconds(30)
/** While it is asked what it is. */
const HEAP_MEGABYTES = 256

/** What Skerry's own mappers are, all asked in one process. Never rejects. */
export async function askBuiltIns(
  builtIns: readonly MapperSource[],
  { clock, signal }: AskOptions,
): Promise<readonly Described<MapperDescription>[]> {
  if (builtIns.length === 0) return []
  const entries = builtIns.map(({ entry }) => entry.href)
  const options = { clock, deadline: LOADING, ...(signal ? { signal } : {}) }
  const described = await outcomeOf<readonly Described<MapperDescription>[]>(
    runApart(describe(), 'describeBuiltIns', entries, options),
  )
  return described.ok ? described.value : entries.map(() => described)
}

/** What a mapper of the configuration is, asked in a process of its own. Never rejects. */
export function askUsed(mapper: string, { from, clock, signal }: AskOptions): Promise<Described<FoundDescription>> {
  const limits = { clock, deadline: WELL_AFTER, heapMegabytes: HEAP_MEGABYTES }
  return outcomeOf(
    withinLoading(clock, LOADING_OTHERS, signal, (limited) =>
      runForeign(describe(), 'describeUsed', { mapper, from }, { ...limits, signal: limited }),
    ),
  )
}

const WELL_AFTER = seconds(60)

function describe(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './describe.ts' : './describe.js', import.meta.url)
}

async function outcomeOf<T>(asking: Promise<unknown>): Promise<Described<T>> {
  try {
    return { ok: true, value: checked<T>(await asking) }
  } catch (error) {
    return { ok: false, error: packError(error) }
  }
}

/** From our own module. */
function checked<T>(answer: unknown): T
function checked(answer: unknown): unknown {
  return answer
}
