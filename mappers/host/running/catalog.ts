import { isAbsolute } from 'node:path'
import { describeError, unpackError } from '../../../platform/lifecycle/index.ts'
import type { MapperEntry, MapperOrigin } from '../../../schemas/index.ts'
import { type AskOptions, askBuiltIns, askUsed } from './ask.ts'
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

export interface CatalogOptions extends AskOptions {
  readonly builtIns: readonly MapperSource[]
  readonly use: readonly MapperUse[]
  readonly isolation: Isolation
  readonly heapMegabytes: number
}

/** A mapper of this node: what it is, and what it serves or why it cannot. */
export interface CatalogMapper {
  /** Of its own among all mappers of the node. */
  readonly id: string
  /** As people know it: its protocol, and for one of the configuration the mapper as it stands there. */
  readonly name: string
  readonly origin: MapperOrigin
  readonly isolation: Isolation
  readonly heapMegabytes: number
  readonly loaded: LoadedMapper | UnusableMapper
}

export interface UnusableMapper {
  readonly reason: string
  readonly protocol?: string
  /** Names that it would serve, as far as they are known. */
  readonly claims: readonly string[]
  /** It has not answered yet. */
  readonly isLoading?: true
}

export interface LoadedMapper {
  readonly source: MapperSource
  /** Absent while a built-in one has not been asked. */
  readonly description?: MapperDescription
  readonly serves: readonly string[]
  readonly detail?: string
}

/** What mappers have said of themselves; undefined for one that has not answered yet. */
export interface Answers {
  readonly builtIns: readonly (Described<MapperDescription> | undefined)[]
  readonly used: readonly (Described<FoundDescription> | undefined)[]
}

/**
 * All mappers of a node, each asked what it is in a process apart. Rejects only when the signal aborts: a mapper that cannot be
 * loaded is listed with its reason.
 */
export async function createCatalog(options: CatalogOptions): Promise<readonly CatalogMapper[]> {
  const [builtIns, used] = await Promise.all([
    askBuiltIns(options.builtIns, options),
    Promise.all(options.use.map(({ mapper }) => askUsed(mapper, options))),
  ])
  options.signal?.throwIfAborted()
  return arrange(options, { builtIns, used })
}

/** Who serves what, as far as mappers have answered. A built-in one serves before it was asked: what it is stands in its source. */
export function arrange(
  { builtIns, use, isolation, heapMegabytes }: Omit<CatalogOptions, keyof AskOptions>,
  answers: Answers,
): readonly CatalogMapper[] {
  const claimants = use.flatMap(({ mapper, aliases = [] }, index) => {
    const described = answers.used[index]
    return described?.ok ? [{ protocol: described.value.protocol, aliases, name: mapper, index }] : []
  })
  const claims = settleClaims(
    claimants,
    builtIns.map(({ protocol, aliases = [] }) => ({ protocol, aliases, name: protocol })),
  )
  const used = use.map((each, index): CatalogMapper => {
    const place = { isolation: each.isolation ?? isolation, heapMegabytes: each.heapMegabytes ?? heapMegabytes }
    const claim = claims.used[claimants.findIndex((claimant) => claimant.index === index)]
    return { id: idOf(use, index), name: each.mapper, ...place, ...otherMapper(each, answers.used[index], claim) }
  })
  const brought = builtIns.map((source, index): CatalogMapper => {
    const described = answers.builtIns[index]
    const claim = claims.builtIns[index]
    const loaded =
      described === undefined || described.ok
        ? loadedOf(source, described?.value, claim)
        : { ...brokenOf(described), protocol: source.protocol, claims: claim?.ok ? claim.serves : [] }
    return {
      id: source.protocol,
      name: source.protocol,
      origin: { kind: 'built-in' },
      isolation,
      heapMegabytes,
      loaded,
    }
  })
  return [...used, ...brought]
}

/** Of its own, also beside a built-in mapper of that name and where the configuration names one twice. */
function idOf(use: readonly MapperUse[], index: number): string {
  const mapper = use[index]?.mapper ?? ''
  const times = use.slice(0, index).filter((each) => each.mapper === mapper).length
  return `use ${mapper}${times === 0 ? '' : ` (${times + 1})`}`
}

/** As it is listed when nothing runs. */
export function entryOf({ origin, isolation, loaded }: CatalogMapper): MapperEntry {
  const common = { origin, isolation, devices: 0, crashes: 0 }
  if ('reason' in loaded) {
    const protocol = loaded.protocol === undefined ? {} : { protocol: loaded.protocol }
    const state = loaded.isLoading ? 'loading' : 'broken'
    return { ...protocol, serves: [], ...common, state, detail: loaded.reason }
  }
  const { source, serves, description, detail = 'no device on this node uses it' } = loaded
  return { protocol: source.protocol, serves, ...description, ...common, state: 'idle', detail }
}

const LOADING = 'it is still being loaded'

function otherMapper(
  { mapper, aliases }: MapperUse,
  described: Described<FoundDescription> | undefined,
  claim: Claim | undefined,
): Pick<CatalogMapper, 'origin' | 'loaded'> {
  if (described === undefined)
    return { origin: originOf(mapper), loaded: { reason: LOADING, claims: aliases ?? [], isLoading: true } }
  if (!described.ok) return { origin: originOf(mapper), loaded: { ...brokenOf(described), claims: aliases ?? [] } }
  const { origin, protocol, entry, description } = described.value
  return { origin, loaded: loadedOf({ protocol, entry: new URL(entry) }, description, claim) }
}

function loadedOf(source: MapperSource, description: MapperDescription | undefined, claim: Claim | undefined) {
  if (!claim?.ok) return { reason: claim?.reason ?? '', protocol: source.protocol, claims: [] }
  const { serves, detail } = claim
  return {
    ...{ source, serves },
    ...(description === undefined ? {} : { description }),
    ...(detail === undefined ? {} : { detail }),
  }
}

function brokenOf({ error }: { readonly error: Parameters<typeof unpackError>[0] }): { readonly reason: string } {
  return { reason: describeError(unpackError(error)) }
}

function originOf(mapper: string): MapperOrigin {
  return isAbsolute(mapper) ? { kind: 'path', path: mapper } : { kind: 'package', name: mapper, path: '' }
}
