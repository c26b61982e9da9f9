import { describeError, RefusedError } from '../../../platform/lifecycle/index.ts'
import type { AnyMapper } from '../admission/admission.ts'
import { openContractDoor } from './contract-door.ts'

/** Where a mapper is found. Its module's default export is the mapper; it must be inert and load no vendor library. */
export interface MapperSource {
  readonly protocol: string
  /** Other names in `protocolName` that it serves. */
  readonly aliases?: readonly string[]
  readonly entry: URL
}

/** The mappers that Skerry brings. */
export const builtInMappers: readonly MapperSource[] = [
  { protocol: 'modbus', aliases: ['modbus-tcp'], entry: builtIn('modbus') },
  { protocol: 'mqtt', entry: builtIn('mqtt') },
]

/** Imports a mapper and checks that it is one. */
export async function loadMapper(source: Pick<MapperSource, 'protocol' | 'entry'>): Promise<AnyMapper> {
  const fields = { mapper: source.protocol, entry: source.entry.href }
  openContractDoor()
  const loaded: unknown = await import(source.entry.href).catch((cause: unknown) => {
    throw new RefusedError('The mapper cannot be loaded', { code: 'MAPPERS_NOT_LOADED', fields, cause })
  })
  const mapper = isObject(loaded) ? loaded['default'] : undefined
  const lack = lackOf(mapper)
  if (lack === undefined && isMapper(mapper)) return mapper
  throw new RefusedError('The module is no mapper of contract 1', {
    code: 'MAPPERS_NOT_A_MAPPER',
    fields: { ...fields, lack },
    cause: lack === undefined ? undefined : new Error(lack),
  })
}

/** What a mapper says of itself, as plain data. */
export interface MapperDescription {
  readonly contract: number
  readonly deviceSchema: object
  readonly visitorSchema: object
}

/** Called in a process of its own, so that a protocol without devices leaves nothing in memory. */
export async function describeMapper(source: { readonly protocol: string; readonly entry: string }) {
  return descriptionOf(await loadMapper({ protocol: source.protocol, entry: new URL(source.entry) }))
}

export function descriptionOf({ contract, deviceConfig, visitorConfig }: AnyMapper): MapperDescription {
  return {
    contract,
    deviceSchema: structuredClone(deviceConfig.jsonSchema),
    visitorSchema: structuredClone(visitorConfig.jsonSchema),
  }
}

function builtIn(protocol: string): URL {
  const suffix = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  return new URL(`../../${protocol}/index.${suffix}`, import.meta.url)
}

const FUNCTIONS = ['connectionKey', 'connect'] as const

/** What keeps a value from being a mapper, or nothing. */
function lackOf(value: unknown): string | undefined {
  if (!isObject(value)) return 'its default export is no object'
  if (value['contract'] !== 1) return `its contract is ${describeError(value['contract'])}, not 1`
  if (typeof value['protocol'] !== 'string' || value['protocol'] === '') return 'it has no protocol'
  for (const name of FUNCTIONS) if (typeof value[name] !== 'function') return `it has no function ${name}`
  for (const name of ['deviceConfig', 'visitorConfig']) {
    const schema = value[name]
    if (!isObject(schema) || typeof schema['parse'] !== 'function') return `its ${name} is no config schema`
  }
  if (typeof value['read'] !== 'function' && typeof value['watch'] !== 'function')
    return 'it has neither read nor watch'
  return undefined
}

/** The one place where a loaded module is taken at its word; what can be checked at run time has been. */
function isMapper(value: unknown): value is AnyMapper {
  return lackOf(value) === undefined
}

function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null
}
