import { describeError, RefusedError } from '../../../platform/lifecycle/index.ts'
import { type Clock, DeadlineError, type Duration, withDeadline } from '../../../platform/time/index.ts'
import type { AnyMapper } from '../admission/admission.ts'
import { openContractDoor } from './contract-door.ts'

/** Where a mapper is. Its module's default export is the mapper; it must be inert and load no vendor library. */
export interface MapperSource {
  readonly protocol: string
  /** Other names in `protocolName` that it serves. */
  readonly aliases?: readonly string[]
  readonly entry: URL
}

/** The mappers that Skerry brings. */
export const builtInMappers: readonly MapperSource[] = [
  { protocol: 'bluetooth-serial', aliases: ['serial', 'bluetooth'], entry: builtIn('bluetooth-serial') },
  { protocol: 'modbus', aliases: ['modbus-tcp'], entry: builtIn('modbus') },
  { protocol: 'mqtt', entry: builtIn('mqtt') },
  { protocol: 'opcua', aliases: ['opc-ua'], entry: builtIn('opcua') },
]

/** The contract that this host keeps. */
const CONTRACT = 1

/** Imports a mapper and checks that it is one. */
export async function loadMapper(source: { readonly protocol?: string; readonly entry: URL }): Promise<AnyMapper> {
  const mapper = source.protocol === undefined ? {} : { mapper: source.protocol }
  const fields = { ...mapper, entry: source.entry.href }
  openContractDoor()
  const loaded: unknown = await import(source.entry.href).catch((cause: unknown) => {
    throw new RefusedError('The mapper cannot be loaded', {
      code: 'MAPPERS_NOT_LOADED',
      fields,
      cause: untyped(cause) ?? cause,
    })
  })
  const value = defaultOf(loaded)
  refuseContract(value, fields)
  const lack = lackOf(value)
  if (lack === undefined && isMapper(value)) return value
  throw new RefusedError('The module is no mapper of contract 1', {
    code: 'MAPPERS_NOT_A_MAPPER',
    fields: { ...fields, lack },
    cause: lack === undefined ? undefined : new Error(lack),
  })
}

/** Loads a mapper, or says that it did not finish: what a module waits for at its top level may never come. */
export async function withinLoading<T>(
  clock: Clock,
  time: Duration,
  signal: AbortSignal | undefined,
  load: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  try {
    return await withDeadline(clock, time, signal, load)
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error
    throw new RefusedError('The mapper cannot be loaded', {
      code: 'MAPPERS_NOT_LOADED',
      cause: new Error(`it did not finish loading within ${time.milliseconds / 1000} s`),
    })
  }
}

/** What a mapper says of itself, as plain data. */
export interface MapperDescription {
  readonly contract: number
  readonly deviceSchema: object
  readonly visitorSchema: object
}

function builtIn(protocol: string): URL {
  const suffix = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  return new URL(`../../${protocol}/index.${suffix}`, import.meta.url)
}

/** What to do about a TypeScript file that this Node.js does not take. */
function untyped(error: unknown): Error | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING') {
    return new Error(
      'below node_modules Node.js takes no TypeScript: let the package export compiled JavaScript, or name the path of the file where it is developed',
    )
  }
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION' && /\.[mc]?ts\b/.test(describeError(error))) {
    return new Error('this Node.js takes no TypeScript: compile the mapper, or run Skerry with Node.js 22.18 or newer')
  }
  return undefined
}

/** The default export; of what was compiled to CommonJS it is one deeper. */
function defaultOf(loaded: unknown): unknown {
  const value = isObject(loaded) ? loaded['default'] : undefined
  return isObject(value) && value['__esModule'] === true ? value['default'] : value
}

/** A mapper of another contract is told apart from what is no mapper at all. */
function refuseContract(value: unknown, fields: object): void {
  const contract = isObject(value) ? value['contract'] : undefined
  if (typeof contract !== 'number' || contract === CONTRACT) return
  const advice =
    contract > CONTRACT ? 'update Skerry, or take an older version of the mapper' : 'take a newer version of the mapper'
  throw new RefusedError('The mapper is written for another contract', {
    code: 'MAPPERS_CONTRACT',
    fields: { ...fields, contract },
    cause: new Error(`it wants contract ${contract}, and this Skerry keeps contract ${CONTRACT}: ${advice}`),
  })
}

/** It names a folder, and is a label of metrics. */
const PROTOCOL = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/
const FUNCTIONS = ['connectionKey', 'connect'] as const

/** What keeps a value from being a mapper, or nothing. */
function lackOf(value: unknown): string | undefined {
  if (!isObject(value)) return 'its default export is no object: end it with export default defineMapper({ ... })'
  if (value['contract'] !== CONTRACT) return `its contract is ${describeError(value['contract'])}, not ${CONTRACT}`
  const protocol = value['protocol']
  if (typeof protocol !== 'string' || protocol === '') return 'it has no protocol'
  if (!PROTOCOL.test(protocol))
    return `its protocol ${JSON.stringify(protocol.slice(0, 80))} is no name: take at most 63 letters, digits, ".", "_" and "-", beginning with a letter or digit`
  for (const name of FUNCTIONS) if (typeof value[name] !== 'function') return `it has no function ${name}`
  for (const name of ['deviceConfig', 'visitorConfig']) {
    const schema = value[name]
    if (!isObject(schema) || typeof schema['parse'] !== 'function' || !isObject(schema['jsonSchema']))
      return `its ${name} is no config schema`
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
