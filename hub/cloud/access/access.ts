import type { X509Certificate } from 'node:crypto'

/** What a caller showed. Nothing of it is believed before `authenticate` says so. */
export interface Credentials {
  /** Of the header `Authorization: Bearer`. */
  readonly token?: string
  /** Of the TLS connection, whose handshake has proved that the peer owns its key; with those above it where the peer sent them. */
  readonly certificate?: X509Certificate
}

/** Somebody whom the Kubernetes API, or its client authority, knows. */
export interface User {
  readonly name: string
  readonly uid?: string
  readonly groups: readonly string[]
  readonly extra?: Readonly<Record<string, readonly string[]>>
}

/** What somebody wants to do: with a resource of the Kubernetes API, real or only spoken of, or at a path of no resource. */
export type AccessAttributes =
  | {
      readonly verb: string
      readonly resource: {
        /** Empty for the core group. */
        readonly group: string
        readonly version?: string
        readonly plural: string
        readonly subresource?: string
        readonly namespace?: string
        readonly name?: string
      }
    }
  | { readonly verb: string; readonly path: string }

export interface Decision {
  readonly allowed: boolean
  /** Of the API, for people; may be empty. */
  readonly reason: string
}

/**
 * Who callers are and what they may do, as the Kubernetes API says. Answers are remembered for a short time. Both reject with an
 * UnavailableError where the API gives no answer in time: then nobody knows, and nobody gets in.
 */
export interface Access {
  /** Undefined where nobody knows the credentials, or there are none. */
  authenticate(shown: Credentials, signal: AbortSignal): Promise<User | undefined>
  authorize(user: User, wanted: AccessAttributes, signal: AbortSignal): Promise<Decision>
}
