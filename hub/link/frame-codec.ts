import type { Frame, FrameHeader, FrameRoute, Json } from '../../schemas/index.ts'
import { excessOf } from './json-bounds.ts'

export type Decoded = { readonly ok: true; readonly frame: Frame } | { readonly ok: false; readonly reason: string }

/** Of ids, names of modules and the like; they are kept, compared and logged. */
const LONGEST_FIELD = 512
/** A topic of MQTT stands in it. */
const LONGEST_RESOURCE = 70_000
/** `__proto__`, and each way to write it with an escape. */
const MAY_NAME_PROTOTYPE = /__proto__|\\u00(?:5f|6f|7[024])/i

/** One frame as the text of one WebSocket message. Optional fields that are empty are left out; content is always there. */
export function encodeFrame(frame: Frame): string {
  const { header, route, content } = frame
  return JSON.stringify({
    header: {
      msg_id: header.msg_id,
      ...filled('parent_msg_id', header.parent_msg_id),
      timestamp: header.timestamp,
      ...filled('resourceversion', header.resourceversion),
      ...(header.sync === true ? { sync: true } : {}),
      ...filled('type', header.type),
    },
    route: {
      ...filled('source', route.source),
      ...filled('destination', route.destination),
      ...filled('group', route.group),
      ...filled('operation', route.operation),
      ...filled('resource', route.resource),
    },
    content,
  })
}

/**
 * A message of a peer. Unknown keys are ignored, keys `__proto__` left out; what is no frame, or is made to do harm, is a value
 * that says why.
 */
export function decodeFrame(text: string): Decoded {
  const excess = excessOf(text)
  if (excess) return { ok: false, reason: excess }
  const value = parsed(text)
  if (value === undefined) return { ok: false, reason: 'not JSON' }
  if (!isRecord(value) || !isRecord(value['header'])) return { ok: false, reason: 'no header' }
  const id = value['header']['msg_id']
  if (typeof id !== 'string' || id === '') return { ok: false, reason: 'no msg_id' }
  const route = isRecord(value['route']) ? value['route'] : {}
  if (isLong(value['header'], route)) return { ok: false, reason: 'too long an id or route' }
  return {
    ok: true,
    frame: { header: headerOf(id, value['header']), route: routeOf(route), content: jsonOf(value['content']) },
  }
}

/**
 * The content as JSON: inline, or in a text that holds JSON (the two forms in use). Undefined for a text that is none, or is made to
 * do harm.
 */
export function contentOf(frame: Frame): Json | undefined {
  if (typeof frame.content !== 'string') return frame.content
  const value = excessOf(frame.content) ? undefined : parsed(frame.content)
  return value === undefined ? undefined : jsonOf(value)
}

/** Undefined for what is no JSON. */
function parsed(text: string): unknown {
  try {
    return MAY_NAME_PROTOTYPE.test(text) ? JSON.parse(text, withoutPrototype) : JSON.parse(text)
  } catch {
    return undefined
  }
}

function withoutPrototype(key: string, value: unknown): unknown {
  return key === '__proto__' ? undefined : value
}

function isLong(header: Fields, route: Fields): boolean {
  for (const fields of [header, route]) {
    for (const [name, value] of Object.entries(fields)) {
      if (typeof value === 'string' && value.length > (name === 'resource' ? LONGEST_RESOURCE : LONGEST_FIELD))
        return true
    }
  }
  return false
}

type Fields = Readonly<Record<string, unknown>>

function headerOf(id: string, header: Fields): FrameHeader {
  const timestamp = header['timestamp']
  return {
    msg_id: id,
    ...text('parent_msg_id', header),
    timestamp: typeof timestamp === 'number' ? timestamp : 0,
    ...text('resourceversion', header),
    ...(header['sync'] === true ? { sync: true } : {}),
    ...text('type', header),
  }
}

function routeOf(route: Fields): FrameRoute {
  return {
    ...text('source', route),
    ...text('destination', route),
    ...text('group', route),
    ...text('operation', route),
    ...text('resource', route),
  }
}

function text<K extends string>(key: K, fields: Fields): { readonly [key in K]?: string } {
  const value = fields[key]
  return filled(key, typeof value === 'string' ? value : undefined)
}

function filled<K extends string>(key: K, value: string | undefined): { readonly [key in K]?: string }
function filled(key: string, value: string | undefined): object {
  return value === undefined || value === '' ? {} : { [key]: value }
}

/** JSON.parse gives JSON; a missing content is null. */
function jsonOf(value: unknown): Json
function jsonOf(value: unknown): unknown {
  return value === undefined ? null : value
}

function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
