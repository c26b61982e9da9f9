import { FRAME_TYPES } from '../frame.ts'

/** What a connect frame asks of the edge's kubelet server. */
export interface ConnectRequest {
  readonly method: string
  /** With its query. */
  readonly path: string
  /** Names as Go writes them; without Host. */
  readonly headers: Readonly<Record<string, readonly string[]>>
}

/** Whose kubelet server KubeEdge's cloud names; the edge dials it as it stands there. */
const KUBELET = '127.0.0.1:10350'
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** Printable, without line breaks: what Node.js takes as the value of a header. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/
/** RFC 3986: no blanks, no control characters. */
const PATH = /^\/[\x21-\x7e]*$/
const METHODS = new Set(['GET', 'POST'])
const MOST_HEADERS = 100
const LONGEST_PATH = 16 * 1024

/** Type of the connect frame for a path of the kubelet server; undefined: KubeEdge's tunnel does not carry it. */
export function connectType(path: string): number | undefined {
  const [, root = ''] = path.split(/[/?]/)
  switch (root) {
    case 'containerLogs':
      return FRAME_TYPES.logs
    case 'exec':
      return FRAME_TYPES.exec
    case 'attach':
      return FRAME_TYPES.attach
    case 'stats':
    case 'metrics':
      return FRAME_TYPES.metrics
    default:
      return undefined
  }
}

/**
 * Data of a connect frame, as `encoding/json` of Go writes KubeEdge's structs: `url` is a `net/url.URL`, whose keys have no tags, and
 * `method` stands in those of exec and attach alone.
 */
export function encodeConnect(id: number, type: number, { method, path, headers }: ConnectRequest): string {
  const [escaped = '', ...query] = path.split('?')
  const decoded = unescaped(escaped)
  const url = {
    Scheme: 'http',
    Opaque: '',
    User: null,
    Host: KUBELET,
    Path: decoded,
    // Go keeps the written form only where its own would be another.
    RawPath: escapedPath(decoded) === escaped ? '' : escaped,
    OmitHost: false,
    ForceQuery: path.endsWith('?') && query.length === 1,
    RawQuery: query.join('?'),
    Fragment: '',
    RawFragment: '',
  }
  const hasMethod = type === FRAME_TYPES.exec || type === FRAME_TYPES.attach
  const sorted = Object.fromEntries(Object.entries(headers).sort(([a], [b]) => (a < b ? -1 : 1)))
  const value = { MessID: id, url, header: sorted, ...(hasMethod ? { method } : {}) }
  return JSON.stringify(value).replaceAll(/[<>&\u2028\u2029]/g, goEscape)
}

/** Undefined where this is no request that a kubelet server could be asked. */
export function decodeConnect(data: Buffer): ConnectRequest | undefined {
  const value = parsed(data)
  const url = fields(value?.['url'])
  if (!value || !url) return undefined
  const { Path, RawPath, RawQuery } = url
  const { method = 'GET' } = value
  if (typeof Path !== 'string' || typeof method !== 'string' || !METHODS.has(method)) return undefined
  const escaped = typeof RawPath === 'string' && RawPath !== '' ? RawPath : escapedPath(Path)
  const path = typeof RawQuery === 'string' && RawQuery !== '' ? `${escaped}?${RawQuery}` : escaped
  const headers = headersOf(value['header'])
  if (!headers || path.length > LONGEST_PATH || !PATH.test(path)) return undefined
  return { method, path, headers }
}

/** `textproto.CanonicalMIMEHeaderKey`. */
export function canonicalHeader(name: string): string {
  return name.toLowerCase().replaceAll(/(^|-)[a-z]/g, (letter) => letter.toUpperCase())
}

function headersOf(value: unknown): Readonly<Record<string, readonly string[]>> | undefined {
  const given = Object.entries(fields(value ?? {}) ?? {})
  if (given.length > MOST_HEADERS) return undefined
  const headers: Record<string, readonly string[]> = {}
  for (const [name, values] of given) {
    if (!TOKEN.test(name) || !Array.isArray(values) || values.length > MOST_HEADERS) return undefined
    const texts = values.filter((each): each is string => typeof each === 'string' && VALUE.test(each))
    if (texts.length !== values.length) return undefined
    headers[name] = texts
  }
  return headers
}

function parsed(data: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    return fields(JSON.parse(data.toString('utf8')))
  } catch {
    // A peer that writes no JSON asks for nothing.
    return undefined
  }
}

function fields(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  return Object.fromEntries(Object.entries(value))
}

function unescaped(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    // It stands as it came; the kubelet server will say what it thinks of it.
    return path
  }
}

function escapedPath(path: string): string {
  // A lone half of a surrogate pair has no bytes.
  return encodeURI(path.toWellFormed()).replaceAll(/[?#]/g, encodeURIComponent)
}

function goEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
