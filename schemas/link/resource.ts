/** `<namespace>/<type>/<name>` as it stands on the wire; the namespace of cluster-scoped kinds is the text `null`. */
export interface ResourcePath {
  readonly namespace: string
  readonly type: string
  /** Empty for the list form of queries. */
  readonly name: string
}

/** Namespace segment of cluster-scoped kinds. */
export const NO_NAMESPACE = 'null'

/** Undefined where it has not two or three segments, or an empty one. Later slashes belong to the name. */
export function parseResource(resource: string | undefined): ResourcePath | undefined {
  const [namespace = '', type = '', ...rest] = (resource ?? '').split('/')
  const name = rest.join('/')
  if (namespace === '' || type === '' || (rest.length > 0 && name === '')) return undefined
  return { namespace, type, name }
}
