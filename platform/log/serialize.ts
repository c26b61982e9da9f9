import type { LogFields } from './logger.ts'

/** Keys whose values never reach a log line, at any depth, whatever their case. */
const SECRET = /(token|password|passwd|secret|authorization|privatekey|private_key|^key$|credentials?)$/i
const REDACTED = '[redacted]'
const DEEPEST = 5
const MOST_ITEMS = 50

/** Fields as plain data that any encoder can print: errors opened, secrets redacted, depth and length bounded. */
export function serializeFields(fields: LogFields): Record<string, unknown> {
  return serializeEntries(fields, 0)
}

function serializeValue(value: unknown, depth: number): unknown {
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth >= DEEPEST) return '[deeper]'
  if (value instanceof Error) return serializeError(value, depth)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString()
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
  if (value instanceof Map) return serializeEntries(Object.fromEntries(value), depth)
  if (Array.isArray(value) || value instanceof Set) {
    const items = [...value].slice(0, MOST_ITEMS).map((item) => serializeValue(item, depth + 1))
    return items
  }
  return serializeEntries(value, depth)
}

function serializeEntries(source: object, depth: number): Record<string, unknown> {
  const result: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(source)) {
    if (value === undefined) continue
    result[key] = SECRET.test(key) ? REDACTED : serializeValue(value, depth + 1)
  }
  return result
}

/** `{ message, code?, fields?, cause?, errors? }`; the stack only where nobody gave the error a code, because that was not foreseen. */
function serializeError(error: Error, depth: number): Record<string, unknown> {
  const { name, message } = error
  const result: Record<string, unknown> = { name, message }
  if ('code' in error && error.code !== undefined) result['code'] = error.code
  else if (error.stack !== undefined) result['stack'] = error.stack
  if ('fields' in error && isFilled(error.fields)) result['fields'] = serializeValue(error.fields, depth + 1)
  if (error.cause !== undefined) result['cause'] = serializeValue(error.cause, depth + 1)
  if (error instanceof AggregateError) result['errors'] = serializeValue(error.errors, depth + 1)
  return result
}

function isFilled(fields: unknown): fields is object {
  return typeof fields === 'object' && fields !== null && Object.keys(fields).length > 0
}
