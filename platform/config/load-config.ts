import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import type { Static, TSchema } from 'typebox'
import { Check, Default, Errors } from 'typebox/value'
import { isMap, LineCounter, parseDocument } from 'yaml'
import { hasCode } from '../lifecycle/error-code.ts'
import { ConfigError } from '../lifecycle/errors.ts'
import { explain } from './explain.ts'

export interface LoadConfigOptions<S extends TSchema> {
  readonly schema: S
  /** YAML; given but absent on disk is an error. */
  readonly file?: string | undefined
  /** Instead of a file. */
  readonly text?: string | undefined
  /** Wins over the file, key by key; undefined values do not count. From flags of the command line. */
  readonly overrides?: object | undefined
}

/**
 * The configuration with its defaults. Rejects with ConfigError whose message is for the person who wrote the file, such as
 * `edge.yaml:12: mqtt.port must be integer (got "abc")`; fields: `file`, `line`, `pointer`.
 */
export async function loadConfig<S extends TSchema>(options: LoadConfigOptions<S>): Promise<Static<S>> {
  const { schema, file } = options
  const label = file === undefined ? 'configuration' : basename(file)
  const text = options.text ?? (file === undefined ? '' : await read(file))
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true })

  const fail = (line: number | undefined, message: string, pointer: string): never => {
    const at = line === undefined ? label : `${label}:${line}`
    throw new ConfigError(`${at}: ${message}`, {
      code: 'PLATFORM_CONFIG_INVALID',
      fields: { file: file ?? label, pointer, ...(line === undefined ? {} : { line }) },
    })
  }

  const [broken] = document.errors
  if (broken) fail(lines.linePos(broken.pos[0]).line, broken.message, '')
  if (document.contents !== null && !isMap(document.contents)) fail(1, 'must be a mapping of keys to values', '')
  // An alias may be expanded a few times, not into a bomb.
  const written: unknown = document.toJS({ maxAliasCount: 100 }) ?? {}
  const value: unknown = Default(schema, merge(written, options.overrides ?? {}))
  if (Check(schema, value)) return value
  const { path, message } = explain(schema, value, [...Errors(schema, value)])
  return fail(lineOf(path), message, path.map((key) => `/${key}`).join(''))

  /** Line of the key, else of the nearest one above it; undefined when an override brought the value. */
  function lineOf(path: readonly string[]): number | undefined {
    for (let length = path.length; length > 0; length--) {
      const parent = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true)
      if (!isMap(parent)) continue
      const pair = parent.items.find(({ key }) => String(key) === path[length - 1])
      const range = hasRange(pair?.key) ? pair.key.range : undefined
      if (range) return lines.linePos(range[0]).line
    }
    return undefined
  }
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    const why = hasCode(cause, 'ENOENT') ? 'does not exist' : 'cannot be read'
    throw new ConfigError(`The configuration file ${file} ${why}`, {
      code: 'PLATFORM_CONFIG_UNREADABLE',
      fields: { file },
      cause,
    })
  }
}

function merge(base: unknown, over: unknown): unknown {
  if (over === undefined) return base
  if (!isObject(base) || !isObject(over)) return over
  const merged: Record<string, unknown> = { ...base }
  for (const [key, value] of Object.entries(over)) merged[key] = merge(merged[key], value)
  return merged
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function hasRange(node: unknown): node is { range: readonly [number, number, number] } {
  return typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range)
}
