import type { ApiPlace, ApplicationEvent, Json, JsonObject } from '../../../schemas/index.ts'

/** One request to the Kubernetes API behind the cloud. */
export interface ApplicationRequest {
  readonly verb: 'get' | 'list' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection'
  readonly at: ApiPlace
  /** `status`, `scale`, `eviction`, `token`, ... */
  readonly subresource?: string
  /** Options of the verb as Kubernetes names them: GetOptions, ListOptions, CreateOptions, ... */
  readonly options?: JsonObject
  /** The object; of a patch its document; of a deletion its DeleteOptions. */
  readonly body?: Json
  /** Of a patch: its media type, such as `application/merge-patch+json`. */
  readonly patchType?: string
  /**
   * Bearer token of the caller: a Skerry cloud has the API verify it, and the request runs as that user. Absent: it runs as this
   * node. It never goes to a cloud of KubeEdge, which runs everything with rights of its own: what a caller may do there has to be
   * decided here, before.
   */
  readonly token?: string
  /** Of a get or list: a Skerry cloud gives a Table with the whole objects, where the API makes one. */
  readonly table?: boolean
}

/** What is read as it is: `/version`, `/apis`, `/apis/<group>/<version>`, `/openapi/v2`, ... */
export interface PathRequest {
  readonly path: string
  readonly token?: string
  /** `/api` and `/apis` in the form that tells all kinds at once; a cloud that knows no such form answers otherwise. */
  readonly aggregated?: boolean
  /** Entity tag of an earlier answer: where it still stands the answer is 304. A cloud of KubeEdge knows of none. */
  readonly knownTag?: string
}

export interface WatchRequest {
  readonly at: ApiPlace
  /** ListOptions. Without a resourceVersion, or with `0`, the watch begins with what is there. */
  readonly options?: JsonObject
  readonly token?: string
}

/** What the API answered: the object (absent where it sent none), or a Status that is no success. */
export interface ApplicationAnswer {
  /** The HTTP status. */
  readonly code: number
  readonly object?: JsonObject
  /** Of a path that answers with no JSON, such as `/healthz`. */
  readonly text?: string
  /** Of a path: the entity tag, where there is one. */
  readonly tag?: string
}

/** The last one of a watch that cannot go on is an ERROR with the Status: 410 means that the caller lists again. */
export type WatchedEvent = ApplicationEvent | { readonly type: 'ERROR'; readonly object: JsonObject }

/**
 * The Kubernetes API behind the cloud, for callers on this node. A refusal of the API is an answer. Rejects with UnavailableError:
 * HUB_OFFLINE at once where the cloud is away, HUB_APPLICATIONS_FULL where too many wait, HUB_APPLICATIONS_SILENT where a
 * cloud just now let a request wait for nothing, HUB_APPLICATION_FAILED where it could not ask; with DeadlineError after 10 s.
 */
export interface Applications {
  readonly isConnected: boolean
  /** Of the cloud; undefined while it is away. A cloud of KubeEdge asks with its own rights: see `token`. */
  readonly peer: 'skerry' | 'kubeedge' | undefined
  ask(request: ApplicationRequest, signal: AbortSignal): Promise<ApplicationAnswer>
  read(request: PathRequest, signal: AbortSignal): Promise<ApplicationAnswer>
  /**
   * Goes on over outages, with what changed meanwhile, until `signal` aborts, the caller leaves, or an ERROR says why it cannot.
   * Rejects as `ask` where it cannot begin; once begun it waits for the cloud. BOOKMARKs come whether asked for or not.
   */
  watch(request: WatchRequest, signal: AbortSignal): AsyncIterable<WatchedEvent>
}
