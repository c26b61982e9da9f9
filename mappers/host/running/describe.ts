import { type PortError, packError } from '../../../platform/lifecycle/index.ts'
import type { AnyMapper } from '../admission/admission.ts'
import { withHostKeys } from '../values/host-keys.ts'
import { type FoundMapper, findMapper } from './find.ts'
import { loadMapper, type MapperDescription } from './source.ts'

/** A mapper's description, or why there is none. */
export type Described<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: PortError }

export interface FoundDescription extends FoundMapper {
  readonly protocol: string
  readonly description: MapperDescription
}

// Both are called in a process of their own: a protocol without devices leaves nothing in memory, and what a module does when
// it is loaded harms nobody.

export async function describeBuiltIns(entries: readonly string[]): Promise<readonly Described<MapperDescription>[]> {
  const described: Described<MapperDescription>[] = []
  for (const entry of entries) {
    described.push(await outcomeOf(async () => descriptionOf(await loadMapper({ entry: new URL(entry) }))))
  }
  return described
}

export async function describeUsed(used: {
  readonly mapper: string
  readonly from: readonly string[]
}): Promise<FoundDescription> {
  const found = findMapper(used.mapper, used.from)
  const mapper = await loadMapper({ entry: new URL(found.entry) })
  return { ...found, protocol: mapper.protocol, description: descriptionOf(mapper) }
}

function descriptionOf({ contract, deviceConfig, visitorConfig }: AnyMapper): MapperDescription {
  return {
    contract,
    deviceSchema: structuredClone(deviceConfig.jsonSchema),
    visitorSchema: structuredClone(withHostKeys(visitorConfig.jsonSchema)),
  }
}

async function outcomeOf<T>(work: () => Promise<T>): Promise<Described<T>> {
  try {
    return { ok: true, value: await work() }
  } catch (error) {
    return { ok: false, error: packError(error) }
  }
}
