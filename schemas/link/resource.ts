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

/** What a cloud says of one device: the resource of a frame of group `twin`. */
export interface TwinResource {
  /** `<namespace>/<name>` */
  readonly id: string
  readonly action: 'twin/cloud_updated' | 'updated'
}

const TWIN_RESOURCE = /^device\/(?:([^/]+)\/)?([^/]+)\/(twin\/cloud_updated|updated)$/

/** `device/<ns>/<name>/twin/cloud_updated` and the like; old clouds write no namespace and mean `default`. */
export function parseTwinResource(resource: string | undefined): TwinResource | undefined {
  const [, namespace = 'default', name, action] = TWIN_RESOURCE.exec(resource ?? '') ?? []
  if (name === undefined || (action !== 'twin/cloud_updated' && action !== 'updated')) return undefined
  return { id: `${namespace}/${name}`, action }
}
