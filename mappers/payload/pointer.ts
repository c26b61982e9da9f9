/** RFC 6901. The steps of a JSON pointer; undefined for a text that is none. */
export function parsePointer(text: string): readonly string[] | undefined {
  if (text === '') return []
  if (!text.startsWith('/') || /~(?![01])/.test(text)) return undefined
  const steps = text.slice(1).split('/')
  return text.includes('~') ? steps.map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~')) : steps
}

export const NO_POINTER = 'is no JSON pointer: it begins with /, as in /sensors/0/value, and has ~1 for / and ~0 for ~'

/** What stands there; undefined where nothing does. */
export function followPointer(document: unknown, pointer: string): unknown {
  let at = document
  for (const step of parsePointer(pointer) ?? []) {
    if (Array.isArray(at)) at = /^(0|[1-9]\d*)$/.test(step) ? at[Number(step)] : undefined
    else at = isObject(at) && Object.hasOwn(at, step) ? at[step] : undefined
    if (at === undefined) return undefined
  }
  return at
}

/** The document of objects in which these values stand at these pointers. The way back of `followPointer`. */
export function documentAt(values: Iterable<readonly [pointer: string, value: unknown]>): Readonly<JsonDocument> {
  const root: JsonDocument = {}
  for (const [pointer, value] of values) {
    const steps = [...(parsePointer(pointer) ?? [])]
    const last = steps.pop()
    if (last === undefined) continue
    let at = root
    for (const step of steps) at = below(at, step)
    at[last] = value
  }
  return root
}

type JsonDocument = Record<string, unknown>

function below(at: JsonDocument, step: string): JsonDocument {
  const there = Object.hasOwn(at, step) ? at[step] : undefined
  if (isObject(there)) return there
  const made: JsonDocument = {}
  at[step] = made
  return made
}

function isObject(value: unknown): value is JsonDocument {
  return typeof value === 'object' && value !== null
}
