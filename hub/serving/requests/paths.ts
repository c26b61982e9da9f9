import { badRequest } from '../../kube/status.ts'

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection'

/** A path below /api or /apis that names a resource. */
export interface ResourcePath {
  readonly group: string
  readonly version: string
  readonly plural: string
  /** Empty for cluster-scoped resources and lists over all namespaces. */
  readonly namespace: string
  /** Empty for collections. */
  readonly name: string
  /** Empty, `status`, or what is created below the object. Behind `proxy` the path goes on: it is not the API's own. */
  readonly subresource: string
  /** Below `/watch/`: the old way to ask for a watch, also of one object. */
  readonly isWatch?: true
}

/** What stands behind `namespaces/NAME/` and is a subresource of the namespace, not a resource in it. */
const NAMESPACE_SUBRESOURCES: ReadonlySet<string> = new Set(['status', 'finalize'])

/** Segments of a path, decoded. Throws a BadRequest Status. */
export function segmentsOf(path: string): readonly string[] {
  try {
    return path
      .split('/')
      .filter((part) => part !== '')
      .map(decodeURIComponent)
  } catch (error) {
    if (error instanceof URIError) throw badRequest(`the path ${path} is not well encoded`)
    throw error
  }
}

/** Undefined when the segments name no resource. */
export function parseResourcePath(segments: readonly string[]): ResourcePath | undefined {
  const [root, ...rest] = segments
  if (root === 'api' && rest.length >= 2) return inGroup('', rest)
  if (root === 'apis' && rest.length >= 3) return inGroup(rest[0] ?? '', rest.slice(1))
  return undefined
}

function inGroup(group: string, [version = '', ...rest]: readonly string[]): ResourcePath | undefined {
  if (rest[0] === 'watch' && rest.length > 1) {
    const path = inGroup(group, [version, ...rest.slice(1)])
    return path?.subresource === '' ? { ...path, isWatch: true } : undefined
  }
  const [first, name = '', next] = rest
  if (first === 'namespaces' && next !== undefined && !(group === '' && NAMESPACE_SUBRESOURCES.has(next))) {
    return resource(group, version, name, rest.slice(2))
  }
  return resource(group, version, '', rest)
}

function resource(
  group: string,
  version: string,
  namespace: string,
  [plural = '', name = '', subresource = '', ...more]: readonly string[],
): ResourcePath | undefined {
  return more.length > 0 && subresource !== 'proxy'
    ? undefined
    : { group, version, plural, namespace, name, subresource }
}

/** Undefined when the method has no meaning there. */
export function verbOf(method: string, path: ResourcePath, isWatch: boolean): Verb | undefined {
  const onOne = path.name !== ''
  if (path.isWatch) return method === 'GET' ? 'watch' : undefined
  switch (method) {
    case 'HEAD':
      return path.subresource === 'proxy' ? 'get' : undefined
    case 'GET':
      return onOne ? 'get' : isWatch ? 'watch' : 'list'
    case 'POST':
      return onOne && path.subresource === '' ? undefined : 'create'
    case 'PUT':
      return onOne ? 'update' : undefined
    case 'PATCH':
      return onOne ? 'patch' : undefined
    case 'DELETE':
      return onOne ? 'delete' : 'deletecollection'
    default:
      return undefined
  }
}
