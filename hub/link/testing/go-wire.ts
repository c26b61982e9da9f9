import { strict as assert } from 'node:assert'
import type { Frame, FrameHeader, FrameRoute, Json } from '../../../schemas/index.ts'

const HEADER_KEYS = ['msg_id', 'parent_msg_id', 'timestamp', 'resourceversion']
const ROUTE_KEYS = ['source', 'destination', 'group', 'operation', 'resource']
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
/** Of the writer of KubeEdge's WebSocket: a longer message goes in fragments. */
const FRAGMENT = 4096

/** One message as KubeEdge's encoder writes it: keys in the order of its structs, HTML escaped, a line feed at the end. */
export function writeAsGo({ header, route, content }: Frame): string {
  const ordered = {
    header: {
      msg_id: header.msg_id,
      parent_msg_id: header.parent_msg_id,
      timestamp: header.timestamp,
      resourceversion: header.resourceversion,
    },
    route: {
      source: route.source,
      destination: route.destination,
      group: route.group,
      operation: route.operation,
      resource: route.resource,
    },
    content,
  }
  return `${JSON.stringify(ordered).replaceAll(/[<>&\u2028\u2029]/g, escaped)}\n`
}

export function fragmentsOf(text: string): readonly Buffer[] {
  const bytes = Buffer.from(text)
  const count = Math.max(1, Math.ceil(bytes.length / FRAGMENT))
  return Array.from({ length: count }, (_, at) => bytes.subarray(at * FRAGMENT, (at + 1) * FRAGMENT))
}

/**
 * Reads a message more strictly than KubeEdge does: nothing may be there that KubeEdge would not write. That is what makes it a
 * test of the other end.
 */
export function readAsGo(text: string): Frame {
  const value: unknown = JSON.parse(text)
  const message = fields(value, 'message')
  assert.deepEqual(Object.keys(message), ['header', 'route', 'content'], `keys of ${text.slice(0, 500)}`)
  const header = fields(message['header'], 'header')
  const route = fields(message['route'], 'route')
  assert.ok(!text.includes('"skerry"'), `a key of Skerry's own: ${text.slice(0, 500)}`)
  return { header: headerOf(header), route: routeOf(route), content: jsonOf(message['content']) }
}

function headerOf(header: Readonly<Record<string, unknown>>): FrameHeader {
  for (const key of Object.keys(header)) assert.ok(HEADER_KEYS.includes(key), `header.${key}`)
  const { msg_id, parent_msg_id, timestamp, resourceversion } = header
  assert.ok(typeof msg_id === 'string' && UUID.test(msg_id), `msg_id ${String(msg_id)}`)
  assert.ok(typeof timestamp === 'number' && Number.isSafeInteger(timestamp), `timestamp ${String(timestamp)}`)
  assert.ok(timestamp > 1e12 && timestamp < 1e13, `timestamp ${timestamp} is not in milliseconds`)
  return {
    msg_id,
    ...(parent_msg_id === undefined ? {} : { parent_msg_id: filled(parent_msg_id, 'parent_msg_id') }),
    timestamp,
    ...(resourceversion === undefined ? {} : { resourceversion: filled(resourceversion, 'resourceversion') }),
  }
}

function routeOf(route: Readonly<Record<string, unknown>>): FrameRoute {
  for (const key of Object.keys(route)) assert.ok(ROUTE_KEYS.includes(key), `route.${key}`)
  const given = Object.entries(route).map(([key, value]) => [key, filled(value, key)] as const)
  return Object.fromEntries(given)
}

/** Optional fields are left out when they are empty. */
function filled(value: unknown, name: string): string {
  assert.ok(typeof value === 'string' && value !== '', `${name} is ${JSON.stringify(value)}`)
  return value
}

function fields(value: unknown, name: string): Readonly<Record<string, unknown>> {
  assert.ok(typeof value === 'object' && value !== null && !Array.isArray(value), `${name} is no object`)
  return Object.fromEntries(Object.entries(value))
}

/** What JSON.parse gave is JSON. */
function jsonOf(value: unknown): Json
function jsonOf(value: unknown): unknown {
  return value
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
