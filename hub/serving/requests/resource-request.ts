import type { IncomingHttpHeaders } from 'node:http'
import type { ResourceDefinition } from '../../kube/resource.ts'
import type { User } from '../user.ts'
import type { Body } from './body-kind.ts'
import type { ResourcePath, Verb } from './paths.ts'

/** Tells the client something beside its answer. */
export type Warn = (text: string) => void

/** The head of a request, and who sent it. */
export interface SentRequest {
  readonly method: string
  readonly headers: IncomingHttpHeaders
  readonly headersDistinct: NodeJS.Dict<string[]>
  /** Of the sender; empty where it has none. */
  readonly address: string
}

/** A request for objects that is allowed, of whatever kind. */
export interface AskedResource {
  readonly path: ResourcePath
  /** Undefined where the method has no meaning there. */
  readonly verb: Verb | undefined
  readonly url: URL
  /** As it came. */
  readonly sent: SentRequest
  readonly accept: string | undefined
  /** What the client calls itself. */
  readonly userAgent: string
  readonly user: User
  /** Bearer token of whoever asks, unless he acts as somebody else; for those who ask others in his name. Never logged. */
  readonly token: string | undefined
  readonly warn: Warn
  readonly signal: AbortSignal
  readonly body: () => Promise<Body>
  /** Throws a Status where the client may change such objects but not make them. */
  readonly mayCreate: () => void
  /** Told the name of an object that was made. */
  readonly onMade?: (name: string) => void
}

/** One on a kind that is served. */
export interface ResourceRequest extends Omit<AskedResource, 'url' | 'verb' | 'sent'> {
  readonly verb: Verb
  readonly definition: ResourceDefinition
  readonly query: URLSearchParams
}
