/** RFC 6901. The steps of a JSON pointer; undefined for a text that is none. */
export function parsePointer(text: string): readonly string[] | undefined {
  if (text === '') return []
  if (!text.startsWith('/') || /~(?![01])/.test(text)) return undefined
  const steps = text.slice(1).split('/')
  // Asked for each value of each message.
  return text.includes('~') ? steps.map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~')) : steps
}

/** What stands there; undefined where nothing does. */
export function follow(document: unknown, pointer: string): unknown {
  let at = document
  for (const step of parsePointer(pointer) ?? []) {
    if (Array.isArray(at)) at = /^(0|[1-9]\d*)$/.test(step) ? at[Number(step)] : undefined
    else at = isObject(at) && Object.hasOwn(at, step) ? at[step] : undefined
    if (at === undefined) return undefined
  }
  return at
}

function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null
}
