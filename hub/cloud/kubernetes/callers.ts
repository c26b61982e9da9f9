/**
 * In whose name the API is asked: the cloud half itself, or the owner of a bearer token. The API verifies the token; nothing of the
 * cloud's own credentials goes with it, so what its owner may not do is not done.
 */
export type Caller = 'cloud' | { readonly token: string }

export interface CallerRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** With its query. */
  readonly path: string
  readonly body?: object
  readonly contentType?: string
  /** Other than JSON alone. */
  readonly accept?: string
  /** Entity tag of what is known: where it still stands the answer is 304. */
  readonly knownTag?: string
}

/** What the API said, a refusal too. */
export interface CallerAnswer {
  readonly status: number
  /** What its JSON says; undefined where it is none. */
  readonly body: unknown
  /** Names in small letters. */
  readonly headers?: Readonly<Record<string, unknown>>
}

/** A Kubernetes API for others than the cloud half, whatever they ask. */
export interface KubernetesCallers {
  /** Rejects with UnavailableError where the API gave no answer; each call has a deadline of its own. */
  send(request: CallerRequest, caller: Caller, signal: AbortSignal): Promise<CallerAnswer>
  /**
   * The events of a watch as they come (`{ type, object }`), after undefined as soon as it begins. Throws the API's refusal as the
   * Kubernetes port does.
   */
  events(path: string, caller: Caller, signal: AbortSignal): AsyncIterable<unknown>
}
