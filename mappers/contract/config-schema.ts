import type { Static, TSchema } from 'typebox'
import { Check, Clean, Convert, Default, Errors } from 'typebox/value'

/** A configuration of a driver: what it may look like, and how it is read. Hides the schema library from the host. */
export interface ConfigSchema<T> {
  /**
   * JSON Schema: for admission, for reference pages and for editors. Other spellings stand at their key: of the key as
   * `x-aliases`, of its values as `x-values`.
   */
  readonly jsonSchema: object
  /** Fills in defaults and freezes; never throws. */
  parse(input: unknown): ConfigResult<T>
}

export type ConfigResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly issues: readonly ConfigIssue[] }

export interface ConfigIssue {
  /** JSON pointer into the input, in the author's own spelling; empty for the whole. */
  readonly pointer: string
  readonly message: string
}

export interface ConfigDialects {
  /** Other spellings of a key that manifests in use have. Upper and lower case never matter. */
  readonly aliases?: Readonly<Record<string, readonly string[]>>
  /** Other spellings of a key's text values, e.g. `{ mode: { tcp: 'TCP' } }`; looked up in lower case. */
  readonly values?: Readonly<Record<string, Readonly<Record<string, string>>>>
}

/**
 * A configuration described by a TypeBox object schema. Numbers and booleans may come as strings, as quoted YAML does; keys
 * that the schema does not know are ignored, so that manifests written for another mapper of the protocol still apply.
 */
export function configSchema<S extends TSchema>(schema: S, dialects: ConfigDialects = {}): ConfigSchema<Static<S>> {
  const canonical = keyTable(schema, dialects)
  const known = new Map<string, ConfigResult<Static<S>>>()
  const parse = (input: unknown): ConfigResult<Static<S>> => {
    if (!isRecord(input)) return { ok: false, issues: [{ pointer: '', message: 'must be an object' }] }
    const { renamed, spelling } = rename(input, canonical, dialects)
    // The schema library changes what it is given, and the manifest belongs to others.
    const value = deepFreeze(Default(schema, Clean(schema, Convert(schema, structuredClone(renamed)))))
    if (Check(schema, value)) return { ok: true, value }
    return { ok: false, issues: issuesOf(schema, value, spelling) }
  }
  return {
    jsonSchema: withDialects(schema, dialects),
    parse(input) {
      const key = keyOf(input)
      const before = key === undefined ? undefined : known.get(key)
      if (before) return before
      const result = parse(input)
      if (key === undefined) return result
      if (known.size >= MOST_KNOWN) known.clear()
      known.set(key, result)
      return result
    },
  }
}

/** A thousand devices of one model say the same a thousand times; what is parsed is frozen, so they may share it. */
const MOST_KNOWN = 500
const LONGEST_KEY = 4000

function keyOf(input: unknown): string | undefined {
  try {
    const text = JSON.stringify(input)
    return text.length <= LONGEST_KEY ? text : undefined
  } catch {
    return undefined
  }
}

type PlainObject = { readonly [key: string]: unknown }

function withDialects(schema: TSchema, { aliases = {}, values = {} }: ConfigDialects): object {
  const properties = 'properties' in schema && isRecord(schema.properties) ? schema.properties : {}
  const told = Object.entries(properties).map(([key, part]) => [
    key,
    {
      ...Object(part),
      ...(aliases[key] ? { 'x-aliases': aliases[key] } : {}),
      ...(values[key] ? { 'x-values': values[key] } : {}),
    },
  ])
  return { ...schema, properties: Object.fromEntries(told) }
}

/** Lower-case spelling to the schema's own key. */
function keyTable(schema: TSchema, dialects: ConfigDialects): ReadonlyMap<string, string> {
  const table = new Map<string, string>()
  for (const [key, aliases] of Object.entries(dialects.aliases ?? {})) {
    for (const alias of aliases) table.set(alias.toLowerCase(), key)
  }
  const properties = 'properties' in schema && isRecord(schema.properties) ? schema.properties : {}
  for (const key of Object.keys(properties)) table.set(key.toLowerCase(), key)
  return table
}

function rename(input: PlainObject, canonical: ReadonlyMap<string, string>, dialects: ConfigDialects) {
  const renamed: Record<string, unknown> = {}
  const spelling = new Map<string, string>()
  for (const [key, value] of Object.entries(input)) {
    const known = canonical.get(key.toLowerCase())
    // The schema's own spelling wins over an alias, whatever their order.
    if (known === undefined || (spelling.has(known) && key !== known)) continue
    spelling.set(known, key)
    const values = dialects.values?.[known]
    const text = typeof value === 'string' ? value.trim() : value
    renamed[known] = typeof text === 'string' ? (values?.[text.toLowerCase()] ?? text) : text
  }
  return { renamed, spelling }
}

function issuesOf(schema: TSchema, value: unknown, spelling: ReadonlyMap<string, string>): readonly ConfigIssue[] {
  const issues = new Map<string, string[]>()
  const add = (pointer: string, message: string) => {
    const messages = issues.get(pointer) ?? []
    if (!messages.includes(message)) messages.push(message)
    issues.set(pointer, messages)
  }
  for (const error of Errors(schema, value)) {
    const path = respell(error.instancePath, spelling)
    if (error.keyword === 'anyOf') continue
    if (error.keyword === 'required' && 'requiredProperties' in error.params) {
      for (const key of Array.isArray(error.params.requiredProperties) ? error.params.requiredProperties : []) {
        add(`${path}/${escapePointer(String(key))}`, 'is required')
      }
    } else if (error.keyword === 'const' && 'allowedValue' in error.params) {
      add(path, String(error.params.allowedValue))
    } else add(path, error.message)
  }
  return [...issues].map(([pointer, messages]) => ({ pointer, message: sentence(messages) }))
}

/** Values of a union of literals arrive as one issue each; together they are a list of what is allowed. */
function sentence(messages: readonly string[]): string {
  const phrases = messages.filter((message) => message.startsWith('must ') || message.startsWith('is '))
  const values = messages.filter((message) => !phrases.includes(message))
  if (values.length === 0) return phrases.join(', ')
  return [`must be ${values.length > 1 ? 'one of ' : ''}${values.join(', ')}`, ...phrases].join(', ')
}

function respell(path: string, spelling: ReadonlyMap<string, string>): string {
  const [, first, ...rest] = path.split('/')
  if (first === undefined) return path
  return ['', spelling.get(first) ?? first, ...rest].join('/')
}

function escapePointer(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1')
}

function isRecord(value: unknown): value is PlainObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function deepFreeze(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  for (const part of Object.values(value)) deepFreeze(part)
  return Object.freeze(value)
}
