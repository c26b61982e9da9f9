import { describeError } from '../../../platform/lifecycle/index.ts'
import type { Parsed } from '../../../schemas/index.ts'
import type { ConfigIssue, ConfigResult, ConfigSchema } from '../../contract/index.ts'

/**
 * Questions to the pure functions of a mapper. A mapper is other people's code: what it throws, or gives in place of an answer,
 * is a reason against the device that it was asked about, and disturbs no other.
 */
export function askText(name: string, question: () => unknown): Parsed<string | undefined> {
  const given = answerOf(question)
  if (!given.ok) return given
  const { value } = given
  if (value === undefined || value === null) return { ok: true, value: undefined }
  return typeof value === 'string' ? { ok: true, value } : { ok: false, reason: wrong(name, value, 'a text') }
}

export function askFlag(name: string, question: () => unknown): Parsed<boolean | undefined> {
  const given = answerOf(question)
  if (!given.ok) return given
  const { value } = given
  if (value === undefined || value === null) return { ok: true, value: undefined }
  return typeof value === 'boolean' ? { ok: true, value } : { ok: false, reason: wrong(name, value, 'true or false') }
}

export function askConflict(question: () => ConfigIssue | undefined): ConfigIssue | undefined {
  const given = answerOf(question)
  if (!given.ok) return { pointer: '', message: `cannot be judged by the mapper: ${given.reason}` }
  const { value } = given
  if (value === undefined || value === null) return undefined
  if (isIssue(value)) return value
  return { pointer: '', message: wrong('conflict', value, 'a pointer and a message') }
}

export function parseWith<T>(schema: ConfigSchema<T>, input: unknown): ConfigResult<T> {
  try {
    return schema.parse(input)
  } catch (error) {
    return { ok: false, issues: [{ pointer: '', message: `cannot be judged by the mapper: ${describeError(error)}` }] }
  }
}

function isIssue(value: unknown): value is ConfigIssue {
  return (
    typeof value === 'object' &&
    value !== null &&
    'pointer' in value &&
    typeof value.pointer === 'string' &&
    'message' in value &&
    typeof value.message === 'string'
  )
}

function answerOf(question: () => unknown): Parsed<unknown> {
  try {
    const value = question()
    // Nobody waits for it, and nobody else would hear of its failure.
    if (value instanceof Promise) value.catch(() => undefined)
    return { ok: true, value }
  } catch (error) {
    return { ok: false, reason: describeError(error) }
  }
}

function wrong(name: string, value: unknown, wanted: string): string {
  const given = value instanceof Promise ? 'a promise' : `something of type ${typeof value}`
  return `cannot be judged: ${name} of the mapper has to give ${wanted} at once, and gave ${given}`
}
