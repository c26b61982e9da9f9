/** `<namespace>/<type>/<name>` as it stands on the wire; the namespace of cluster-scoped kinds is the text `null`. */
export interface ResourcePath {
  readonly namespace: string
  readonly type: string
  /** Empty for the list form of queries. */
  readonly name: string
}

/** Namespace segment of cluster-scoped kinds. */
export const NO_NAMESPACE = 'null'

export function formatResource({ namespace, type, name }: ResourcePath): string {
  return name === '' ? `${namespace}/${type}` : `${namespace}/${type}/${name}`
}

/** Undefined where it has not two or three segments, or an empty one. Later slashes belong to the name. */
export function parseResource(resource: string | undefined): ResourcePath | undefined {
  const [namespace = '', type = '', ...rest] = (resource ?? '').split('/')
  const name = rest.join('/')
  if (namespace === '' || type === '' || (rest.length > 0 && name === '')) return undefined
  return { namespace, type, name }
}

/** Inside the cloud a resource begins with the node; CloudHub takes that away before it writes to the socket. */
export function stripNode(resource: string): string {
  const parts = resource.split('/')
  return parts[0] === 'node' && parts.length >= 3 ? parts.slice(2).join('/') : resource
}

export function withNode(node: string, resource: string): string {
  return `node/${node}/${resource}`
}
