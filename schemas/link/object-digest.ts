/** Resource of the query with which an edge says which objects it holds (source metamanager, group resource). */
export const OBJECT_DIGEST_RESOURCE = 'object/digest'

/** Most objects in one query. */
export const OBJECT_DIGEST_BOUND = 500

/** Content of the query, under `skerry`; only between Skerry peers (SKERRY_HEADER). */
export interface ObjectDigest {
  readonly objects: readonly HeldObject[]
  /** What was in no query up to this one is not on the edge. */
  readonly isLast: boolean
}

/** One object on the disk of an edge. */
export interface HeldObject {
  /** `<namespace>/<type>/<name>`, as it came. */
  readonly resource: string
  /** metadata.uid. */
  readonly uid: string
  /** The resourceVersion with which it came. */
  readonly version: string
}
