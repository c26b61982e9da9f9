import { type DeviceId, splitDeviceId } from '../device/index.ts'

/**
 * The plain view: `twins/<namespace>/<device>` holds a whole twin, and below it `/<property>` a bare value, `/<property>/conflict`
 * what two sides want at once. `/<property>/set` takes a desired value and is answered on `/<property>/set/result`; a method of
 * the device is called on `/<method>/call` and answered on `/<method>/call/result`.
 */
export const PLAIN_PREFIX = 'twins'
export const PLAIN_SET_FILTER = `${PLAIN_PREFIX}/+/+/+/set`
export const PLAIN_CALL_FILTER = `${PLAIN_PREFIX}/+/+/+/call`
const LONGEST_PROPERTY = 4096

export type PlainKind = 'device' | 'property' | 'conflict'

/** What of the plain view an MQTT filter covers; what is absent may be anything. */
export interface PlainFilter {
  readonly kinds: ReadonlySet<PlainKind>
  readonly namespace?: string
  readonly name?: string
  readonly property?: string
}

/** MQTT ends a topic at 65535 bytes; names that no client can give are left out. */
export function hasPlainTopic(property: string): boolean {
  return property !== '' && property.length <= LONGEST_PROPERTY && property.isWellFormed()
}

export function plainDeviceTopic(id: DeviceId): string {
  const { namespace, name } = splitDeviceId(id)
  return `${PLAIN_PREFIX}/${namespace}/${name}`
}

/** In the name of the property `/`, `+`, `#`, `%` and control characters stand as `%` and two hexadecimal digits. */
export function plainPropertyTopic(id: DeviceId, property: string): string {
  return `${plainDeviceTopic(id)}/${escapeLevel(property)}`
}

export function plainConflictTopic(id: DeviceId, property: string): string {
  return `${plainPropertyTopic(id, property)}/conflict`
}

export function plainSetTopic(id: DeviceId, property: string): string {
  return `${plainPropertyTopic(id, property)}/set`
}

export function plainCallTopic(id: DeviceId, method: string): string {
  return `${plainDeviceTopic(id)}/${escapeLevel(method)}/call`
}

export function parsePlainSet(topic: string): { readonly id: DeviceId; readonly property: string } | undefined {
  const found = parseAction(topic, 'set')
  return found && { id: found.id, property: found.subject }
}

export function parsePlainCall(topic: string): { readonly id: DeviceId; readonly method: string } | undefined {
  const found = parseAction(topic, 'call')
  return found && { id: found.id, method: found.subject }
}

/** Undefined when the filter covers nothing of the plain view. */
export function parsePlainFilter(filter: string): PlainFilter | undefined {
  const levels = filter.split('/')
  const isOpen = levels.at(-1) === '#'
  const at = (depth: number): string | undefined => {
    const level = levels[depth]
    return level === '+' || level === '#' ? undefined : level
  }
  if ((at(0) ?? PLAIN_PREFIX) !== PLAIN_PREFIX) return undefined
  const [namespace, name, level, last] = [at(1), at(2), at(3), at(4)]
  const kinds = new Set<PlainKind>()
  for (const [kind, depth] of PLAIN_DEPTHS) {
    // `a/#` covers `a` too.
    if (isOpen ? depth >= levels.length - 1 : depth === levels.length) kinds.add(kind)
  }
  if (last !== undefined && last !== 'conflict') kinds.delete('conflict')
  const property = level === undefined ? undefined : unescapeLevel(level)
  if (kinds.size === 0 || (level !== undefined && (property === undefined || escapeLevel(property) !== level))) {
    return undefined
  }
  return {
    kinds,
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
    ...(property === undefined ? {} : { property }),
  }
}

function parseAction(topic: string, wanted: 'set' | 'call') {
  const [prefix, namespace, name, level, action, ...more] = topic.split('/')
  if (prefix !== PLAIN_PREFIX || !namespace || !name || !level || action !== wanted || more.length > 0) return undefined
  const subject = unescapeLevel(level)
  return subject === undefined ? undefined : { id: `${namespace}/${name}`, subject }
}

const PLAIN_DEPTHS = [
  ['device', 3],
  ['property', 4],
  ['conflict', 5],
] as const

// biome-ignore lint/suspicious/noControlCharactersInRegex: no topic may have them
const NOT_IN_LEVELS = /[%/+#\u0000-\u001f\u007f]/g

function escapeLevel(text: string): string {
  return text.replace(NOT_IN_LEVELS, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)
}

/** Undefined for a `%` without its digits. */
function unescapeLevel(level: string): string | undefined {
  if (/%(?![0-7][0-9a-fA-F])/.test(level)) return undefined
  return level.replace(/%(..)/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
}
