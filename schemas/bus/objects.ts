import type { Json, JsonObject } from '../device/index.ts'
import { eventChannel, requestChannel } from './declare.ts'

/**
 * Where an answer may come from. `stored`: only what this node has. `stored-first`: the cloud is asked where this node has
 * nothing; right for what the cloud keeps up to date here (configmaps, secrets). `cloud-first`: what this node has only serves
 * while the cloud cannot be reached. `cloud`: nothing but the cloud's word of now.
 */
export type Freshness = 'stored' | 'stored-first' | 'cloud-first' | 'cloud'

export interface ObjectRequest {
  /** As on the wire: `shop/configmap/till`, `null/persistentvolume/disk-1`. */
  readonly resource: string
  readonly freshness: Freshness
}

export interface ObjectAnswer {
  /** Absent: there is none, as far as could be asked. */
  readonly object?: JsonObject
  readonly from: 'node' | 'cloud'
}

/**
 * An object of the cloud. Served by MetaManager, on disk before it is answered. Rejects with HUB_OFFLINE where only the cloud could
 * tell and it is away, with HUB_QUERY_FAILED where the cloud could not answer; a failure is never kept as if it were the object.
 */
export const requestObject = requestChannel<ObjectRequest, ObjectAnswer>('meta.object')

/** Every object of this node of one type (`pod`, `configmap`), from disk. Served by MetaManager. */
export const listObjects = requestChannel<{ readonly type: string }, readonly JsonObject[]>('meta.list')

/** An object on disk came, changed or went. Whoever holds a copy asks again. */
export interface ObjectChange {
  readonly resource: string
  readonly change: 'stored' | 'removed'
}
export const objectChanges = eventChannel<ObjectChange>('meta.changed')

/** A change that only the cloud can make: an Event, a CSR, a mirror pod. */
export interface ObjectWrite {
  readonly operation: 'insert' | 'update' | 'patch' | 'delete'
  readonly resource: string
  readonly content: Json
}

/**
 * Asks the cloud to change something, once, and gives its answer (the object, or `OK`). Served by EdgeHub; nothing is kept for
 * later. Rejects with HUB_OFFLINE while the cloud is away, with HUB_WRITE_REFUSED where the API refuses it (`fields.reason`, such
 * as `AlreadyExists`), with PLATFORM_DEADLINE where nobody knows whether it was done.
 */
export const writeObject = requestChannel<ObjectWrite, Json>('hub.write')

/** A token of a service account, as a TokenRequest of Kubernetes names it. */
export interface ServiceAccountTokenRequest {
  readonly namespace: string
  readonly serviceAccount: string
  readonly audiences: readonly string[]
  /** Wished lifetime; the API may give another. */
  readonly expirationSeconds?: number
  /** The token ends with this object, usually the pod. */
  readonly boundTo?: { readonly kind: string; readonly apiVersion: string; readonly name: string; readonly uid: string }
}

export interface ServiceAccountToken {
  readonly token: string
  /** Unix ms. */
  readonly expiresAt: number
}

/**
 * A token that is not expired, kept on disk and made anew after 80 % of its lifetime or 24 h; ask again from time to time. Served by
 * MetaManager. Rejects with HUB_OFFLINE where there is none and the cloud is away, with HUB_TOKEN_EXPIRED where there is only an
 * expired one.
 */
export const requestToken = requestChannel<ServiceAccountTokenRequest, ServiceAccountToken>('meta.token')
