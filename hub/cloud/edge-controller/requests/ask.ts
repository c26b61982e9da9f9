import { RefusedError } from '../../../../platform/lifecycle/index.ts'
import { type Frame, type Json, type JsonObject, parseResource } from '../../../../schemas/index.ts'
import { contentOf } from '../../../link/index.ts'
import { isJsonObject } from '../../kubernetes/guards.ts'
import type { AnyObject, Kubernetes, ObjectKey, ResourceType } from '../../kubernetes/index.ts'

/** What a node asks of the API, read from a frame. */
export interface Ask {
  readonly node: string
  readonly operation: string
  /** As on the wire: `null` where there is none. */
  readonly namespace: string
  readonly type: string
  readonly name: string
  /** Parsed where it came as text; undefined where the text is no JSON. */
  readonly content: Json | undefined
  /** As it came. */
  readonly raw: Json
}

/**
 * How an answer looks (kubeedge-hub, answer shapes): `{Object, Err}`, the bare object (failures are then of operation
 * `error`, so that no edge stores them as an object), the text OK, or nothing at all.
 */
export type AnswerShape = 'object' | 'bare' | 'ok' | 'none'

export interface RequestKind {
  readonly shape: AnswerShape
  /** Settles with the object of the answer. Throws what `refused` and `foreign` make, or the error of the API. */
  perform(ask: Ask, signal: AbortSignal): Promise<JsonObject | undefined>
}

/** By operation and type: `patch nodepatch`. */
export type RequestTable = Readonly<Record<string, RequestKind>>

/** Undefined where the resource has not the form of one. */
export function readAsk(node: string, frame: Frame): Ask | undefined {
  const path = parseResource(frame.route.resource)
  if (!path) return undefined
  return { node, operation: frame.route.operation ?? '', ...path, content: contentOf(frame), raw: frame.content }
}

/** The content as an object. Throws a BadRequest. */
export function bodyOf({ content }: Ask): JsonObject {
  if (isJsonObject(content)) return content
  throw refused('BadRequest', 'the content is not a JSON object')
}

/** The content as an object of the API that bears the name of the request. Throws a BadRequest. */
export function objectOf(ask: Ask): JsonObject & { readonly metadata: JsonObject } {
  const body = bodyOf(ask)
  const metadata = body['metadata']
  if (!isJsonObject(metadata)) throw refused('BadRequest', 'the content has no metadata')
  const { name, namespace } = metadata
  if (name !== ask.name) throw refused('BadRequest', `the object is not named ${ask.name}, as its resource says`)
  if (namespace !== undefined && namespace !== ask.namespace) {
    throw refused('BadRequest', `the object is not in namespace ${ask.namespace}, as its resource says`)
  }
  return { ...body, metadata }
}

const STATUS = {
  BadRequest: 400,
  Forbidden: 403,
  NotFound: 404,
  TooManyRequests: 429,
  ServiceUnavailable: 503,
} as const

/** The answer is no; the connection stays. */
export function refused(reason: keyof typeof STATUS, detail: string): RefusedError {
  const fields = { reason, status: STATUS[reason], detail }
  return new RefusedError('A node asked for what it may not have', { code: 'HUB_EDGE_ASK_REFUSED', fields })
}

/** The node speaks as another one: the answer is no, and its connection is closed. */
export function foreign(detail: string): RefusedError {
  const fields = { reason: 'Forbidden', status: 403, detail }
  return new RefusedError('A node speaks for another one', { code: 'HUB_EDGE_FOREIGN_CLAIM', fields })
}

export function isForeign(error: unknown): boolean {
  return error instanceof RefusedError && error.code === 'HUB_EDGE_FOREIGN_CLAIM'
}

/** Our own no, and not that of the API. */
export function isRefused(error: unknown): boolean {
  return error instanceof RefusedError && error.code === 'HUB_EDGE_ASK_REFUSED'
}

/** The object, or a NotFound as the API words it. */
export async function found(
  kubernetes: Kubernetes,
  type: ResourceType<AnyObject>,
  at: ObjectKey,
  signal: AbortSignal,
): Promise<AnyObject> {
  const object = await kubernetes.get(type, at, signal)
  if (object) return object
  throw refused('NotFound', `${type.plural} "${at.name}" not found`)
}

export function asJson(object: object): JsonObject {
  return JSON.parse(JSON.stringify(object))
}
