/** Who asks, as far as rights are concerned. */
export interface Requester {
  readonly name: string
  readonly groups: readonly string[]
}

/** What somebody wants to do. */
export interface Attributes {
  readonly verb: string
  readonly path: string
  /** Undefined for paths that name no resource. */
  readonly resource?: ResourceAttributes
}

export interface ResourceAttributes {
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly subresource: string
  /** Empty: all of them, or the cluster. */
  readonly namespace: string
  /** Empty: a collection. */
  readonly name: string
}

/** `reason` is for people; empty where there is nothing to say. */
export interface Decision {
  readonly allowed: boolean
  readonly reason: string
}

/** Rights of one resource of a group, as checks beside the request itself ask for them. */
export function rightTo(verb: string, resource: Partial<ResourceAttributes>): Attributes {
  const none = { group: '', version: '*', plural: '', subresource: '', namespace: '', name: '' }
  return { verb, path: '', resource: { ...none, ...resource } }
}
