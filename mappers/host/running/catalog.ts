import { isAbsolute } from 'node:path'
import { runApart } from '../../../platform/apart/index.ts'
import { describeError, packError, unpackError } from '../../../platform/lifecycle/index.ts'
import { type Clock, seconds } from '../../../platform/time/index.ts'
import type { MapperEntry, MapperOrigin } from '../../../schemas/index.ts'
import { type Claim, settleClaims } from './claims.ts'
import type { Described, FoundDescription } from './describe.ts'
import type { Isolation } from './runner.ts'
import type { MapperDescription, MapperSource } from './source.ts'

/** A mapper of others, as the configuration names it. */
export interface MapperUse {
  /** Absolute path, or name of a package. */
  readonly mapper: string
  readonly aliases?: readonly string[] | undefined
  readonly isolation?: Isolation | undefined
  readonly heapMegabytes?: number | undefined
}

export interface CatalogOptions {
  readonly builtIns: readonly MapperSource[]
  readonly use: readonly MapperUse[]
  /** Folders in whose `node_modules`, and above, packages are looked for. */
  readonly from: readonly string[]
  readonly isolation: Isolation
  readonly heapMegabytes: number
  readonly clock: Clock
  readonly signal?: AbortSignal
}

/** A mapper of this node: what it is, and what it serves or why it cannot. */
export interface CatalogMapper {
  /** Of its own among all mappers of the node. */
  readonly id: string
  readonly origin: MapperOrigin
  readonly isolation: Isolation
  readonly heapMegabytes: number
  readonly loaded:
    | LoadedMapper
    | { readonly reason: string; readonly protocol?: string; readonly claims: readonly string[] }
}

export interface LoadedMapper {
  readonly source: MapperSource
  readonly description: MapperDescription
  readonly serves: readonly string[]
  readonly detail?: string
}

/** A slow card may take long to load a protocol. */
const LOADING = seconds(60)
/** The rest of the edge waits for it. */
const LOADING_OTHERS = seconds(30)

/**
 * All mappers of a node, each asked what it is in a process apart. Rejects only when the signal aborts: a mapper that cannot be
 * loaded is listed with its reason.
 */
export async function createCatalog(options: CatalogOptions): Promise<readonly CatalogMapper[]> {
  const { builtIns, use, isolation, heapMegabytes } = options
  const [own, others] = await Promise.all([
    describeOwn(options),
    Promise.all(use.map((each) => describeOther(each, options))),
  ])
  options.signal?.throwIfAborted()
  const claimants = use.map(({ mapper, aliases = [] }, index) => {
    const described = others[index]
    return described?.ok ? { protocol: described.value.protocol, aliases, name: mapper, index } : undefined
  })
  const known = claimants.filter((each) => each !== undefined)
  const claims = settleClaims(
    known,
    builtIns.map(({ protocol, aliases = [] }) => ({ protocol, aliases, name: protocol })),
  )
  const used = use.map((each, index): CatalogMapper => {
    const place = { isolation: each.isolation ?? isolation, heapMegabytes: each.heapMegabytes ?? heapMegabytes }
    const described = others[index] ?? missing
    const claim = claims.used[known.findIndex((claimant) => claimant.index === index)]
    return { id: each.mapper, ...place, ...otherMapper(each, described, claim) }
  })
  const brought = builtIns.map((source, index): CatalogMapper => {
    const described = own[index] ?? missing
    const claim = claims.builtIns[index]
    const loaded = described.ok
      ? loadedOf(source, described.value, claim)
      : { ...brokenOf(described), protocol: source.protocol, claims: claim?.ok ? claim.serves : [] }
    return { id: source.protocol, origin: { kind: 'built-in' }, isolation, heapMegabytes, loaded }
  })
  return [...used, ...brought]
}

/** As it is listed when nothing runs. */
export function entryOf({ origin, isolation, loaded }: CatalogMapper): MapperEntry {
  const common = { origin, isolation, devices: 0, crashes: 0 }
  if ('reason' in loaded) {
    const protocol = loaded.protocol === undefined ? {} : { protocol: loaded.protocol }
    return { ...protocol, serves: [], ...common, state: 'broken', detail: loaded.reason }
  }
  const { source, serves, description, detail = 'no device on this node uses it' } = loaded
  return { protocol: source.protocol, serves, ...description, ...common, state: 'idle', detail }
}

const missing = { ok: false, error: { kind: 'Error', code: '', message: 'nobody described it', fields: {} } } as const

function otherMapper(
  { mapper, aliases }: MapperUse,
  described: Described<FoundDescription>,
  claim: Claim | undefined,
): Pick<CatalogMapper, 'origin' | 'loaded'> {
  if (!described.ok) return { origin: originOf(mapper), loaded: { ...brokenOf(described), claims: aliases ?? [] } }
  const { origin, protocol, entry, description } = described.value
  return { origin, loaded: loadedOf({ protocol, entry: new URL(entry) }, description, claim) }
}

function loadedOf(source: MapperSource, description: MapperDescription, claim: Claim | undefined) {
  if (!claim?.ok) return { reason: claim?.reason ?? '', protocol: source.protocol, claims: [] }
  const { serves, detail } = claim
  return { source, description, serves, ...(detail === undefined ? {} : { detail }) }
}

function brokenOf({ error }: { readonly error: Parameters<typeof unpackError>[0] }): { readonly reason: string } {
  return { reason: describeError(unpackError(error)) }
}

function originOf(mapper: string): MapperOrigin {
  return isAbsolute(mapper) ? { kind: 'path', path: mapper } : { kind: 'package', name: mapper, path: '' }
}

async function describeOwn(options: CatalogOptions): Promise<readonly Described<MapperDescription>[]> {
  const entries = options.builtIns.map(({ entry }) => entry.href)
  if (entries.length === 0) return []
  const described = await apart<readonly Described<MapperDescription>[]>('describeBuiltIns', entries, options)
  return described.ok ? described.value : entries.map(() => described)
}

function describeOther({ mapper }: MapperUse, options: CatalogOptions): Promise<Described<FoundDescription>> {
  return apart('describeUsed', { mapper, from: options.from }, options, true)
}

async function apart<T>(
  name: string,
  input: unknown,
  { clock, signal }: CatalogOptions,
  foreign = false,
): Promise<Described<T>> {
  const file = import.meta.url.endsWith('.ts') ? './describe.ts' : './describe.js'
  const call = { clock, deadline: foreign ? LOADING_OTHERS : LOADING, foreign, ...(signal ? { signal } : {}) }
  try {
    return { ok: true, value: checked<T>(await runApart(new URL(file, import.meta.url), name, input, call)) }
  } catch (error) {
    return { ok: false, error: packError(error) }
  }
}

/** From our own module. */
function checked<T>(answer: unknown): T
function checked(answer: unknown): unknown {
  return answer
}
