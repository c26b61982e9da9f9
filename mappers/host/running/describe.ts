import { describeError, type PortError, packError, RefusedError } from '../../../platform/lifecycle/index.ts'
import type { AnyMapper } from '../admission/admission.ts'
import { withHostKeys } from '../values/host-keys.ts'
import { type FoundMapper, findMapper } from './find.ts'
import { loadMapper, type MapperDescription } from './source.ts'

/** It stays in the memory of the edge. */
const MOST_SCHEMA_CHARACTERS = 256 * 1024

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
    deviceSchema: schemaOf('deviceConfig', deviceConfig.jsonSchema),
    visitorSchema: schemaOf('visitorConfig', withHostKeys(visitorConfig.jsonSchema)),
  }
}

/** As JSON, which it has to be for everybody who reads it later. */
function schemaOf(name: string, schema: object): object {
  const text = inJson(name, schema)
  if (text.length <= MOST_SCHEMA_CHARACTERS) return JSON.parse(text)
  throw noSchema(`the JSON Schema of its ${name} is larger than ${MOST_SCHEMA_CHARACTERS / 1024} KiB`)
}

function inJson(name: string, schema: object): string {
  try {
    return JSON.stringify(schema) ?? '{}'
  } catch (error) {
    throw noSchema(`the JSON Schema of its ${name} is no JSON: ${describeError(error).split('\n')[0]}`)
  }
}

function noSchema(lack: string): RefusedError {
  return new RefusedError('The module is no mapper of contract 1', {
    code: 'MAPPERS_NOT_A_MAPPER',
    fields: { lack },
    cause: new Error(lack),
  })
}

async function outcomeOf<T>(work: () => Promise<T>): Promise<Described<T>> {
  try {
    return { ok: true, value: await work() }
  } catch (error) {
    return { ok: false, error: packError(error) }
  }
}
