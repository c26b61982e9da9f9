import type { Frame, FrameHeader, FrameRoute, Json } from '../../schemas/index.ts'

export type Decoded = { readonly ok: true; readonly frame: Frame } | { readonly ok: false; readonly reason: string }

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

/** A message of a peer. Unknown keys are ignored; what is no frame is a value that says why. */
export function decodeFrame(text: string): Decoded {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { ok: false, reason: 'not JSON' }
  }
  if (!isRecord(value) || !isRecord(value['header'])) return { ok: false, reason: 'no header' }
  const id = value['header']['msg_id']
  if (typeof id !== 'string' || id === '') return { ok: false, reason: 'no msg_id' }
  const route = isRecord(value['route']) ? value['route'] : {}
  return {
    ok: true,
    frame: { header: headerOf(id, value['header']), route: routeOf(route), content: jsonOf(value['content']) },
  }
}

/** The content as JSON: inline, or in a text that holds JSON (the two forms in use). Undefined for a text that is none. */
export function contentOf(frame: Frame): Json | undefined {
  if (typeof frame.content !== 'string') return frame.content
  try {
    return jsonOf(JSON.parse(frame.content))
  } catch {
    return undefined
  }
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
