import { hasControl } from '../rules/path-pattern.ts'

/** What a caller's URL names: `/<node>/<namespace>/<path>[?<query>]`. */
export interface RequestPath {
  readonly node: string
  readonly namespace: string
  /** After the namespace, decoded. */
  readonly segments: readonly string[]
  /** The same as they stood. */
  readonly raw: readonly string[]
  /** For services: to rules and topics a slash at the end counts for nothing. */
  readonly endsInSlash: boolean
  /** With its question mark, or empty. */
  readonly query: string
}

const NODE = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/

/** Undefined for a URL that names no node, namespace and path; a text says what is wrong with one. */
export function parseRequestPath(url: string): RequestPath | string | undefined {
  const [path = '', ...rest] = url.split('?')
  const query = rest.length === 0 ? '' : `?${rest.join('?')}`
  if (!path.startsWith('/') || url.includes('#') || url.includes('\\') || /[^\u0021-\u007e]/.test(url))
    return 'the URL has characters that have to be escaped'
  const [, node = '', namespace = '', ...given] = path.split('/')
  const endsInSlash = given.at(-1) === ''
  const raw = endsInSlash ? given.slice(0, -1) : given
  if (!NODE.test(node) || !NODE.test(namespace) || raw.length === 0) return undefined
  const segments: string[] = []
  for (const each of raw) {
    const segment = decoded(each)
    if (segment === undefined || segment === '' || segment === '.' || segment === '..')
      return 'the path has an empty segment, . or .., or a wrong escape'
    if (/[/\\]/.test(segment) || hasControl(segment)) return 'the path has an escaped slash or control character'
    segments.push(segment)
  }
  return { node, namespace, segments, raw, endsInSlash, query }
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
