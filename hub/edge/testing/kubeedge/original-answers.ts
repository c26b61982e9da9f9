import type { Frame, FrameRoute, Json, JsonObject } from '../../../../schemas/index.ts'

/** What a cloud says to a request. `isAcknowledged`: it is sent until the edge acknowledges it. */
export interface OriginalAnswer {
  readonly content: Json
  readonly resourceVersion?: string
  readonly isAcknowledged: boolean
}

const ANSWER_ROUTE: FrameRoute = { source: 'edgecontroller', group: 'resource', operation: 'response' }
/** Answered with the bare object, in the acknowledged class. */
const BARE = ['configmap', 'secret', 'persistentvolume', 'persistentvolumeclaim', 'volumeattachment']

/**
 * An original EdgeController over a map of objects by their resource on the wire. Failures of bare queries come in the shape of
 * an object, as KubeEdge's do.
 */
export class OriginalAnswers {
  /** `null/node/edge-1`, `default/configmap/a`. */
  readonly objects = new Map<string, JsonObject>()
  /** What happens to requests whose `operation resource` contains the key, once: the reason of a Status. */
  readonly failures = new Map<string, string>()
  #version = 100

  get route(): FrameRoute {
    return ANSWER_ROUTE
  }

  /** Stores an object as the API would, and gives it a version and a uid. */
  put(resource: string, object: JsonObject): JsonObject {
    const metadata = isObject(object['metadata']) ? object['metadata'] : {}
    const [namespace = '', , name = ''] = resource.split('/')
    const present = metadataOf(this.objects.get(resource))
    const stored = {
      ...object,
      metadata: {
        name,
        ...(namespace === 'null' ? {} : { namespace }),
        uid: present['uid'] ?? `uid-${name}`,
        ...metadata,
        resourceVersion: String(++this.#version),
      },
    }
    this.objects.set(resource, stored)
    return stored
  }

  /** Undefined where EdgeController says nothing. */
  answer(frame: Frame): OriginalAnswer | undefined {
    const { operation = '', resource = '' } = frame.route
    const [, type = ''] = resource.split('/')
    const content = objectIn(frame.content)
    if (type === 'event') return undefined
    const failure = this.#failure(`${operation} ${resource}`)
    if (operation === 'query') return this.#query(type, resource, { content, failure })
    if (failure !== undefined) return shaped(undefined, failure)
    const present = this.objects.get(resource)
    switch (`${operation} ${type}`) {
      case 'insert node':
      case 'insert pod':
      case 'insert lease':
      case 'insert certificatesigningrequest':
        return present ? shaped(undefined, 'AlreadyExists') : shaped(this.put(resource, content))
      case 'update lease':
        return this.#updateLease(resource, content)
      case 'patch nodepatch':
      case 'patch podpatch':
        return this.#patch(resource.replace('patch/', '/'), content)
      case 'update node':
      case 'update nodestatus':
      case 'update podstatus':
      case 'delete pod':
        if (operation === 'delete') this.objects.delete(resource)
        return { content: 'OK', isAcknowledged: false }
      default:
        return undefined
    }
  }

  #query(
    type: string,
    resource: string,
    { content, failure }: { readonly content: JsonObject; readonly failure: string | undefined },
  ): OriginalAnswer {
    const object = this.objects.get(resource)
    if (type === 'lease')
      return object && failure === undefined ? shaped(object) : shaped(undefined, failure ?? 'NotFound')
    if (type === 'serviceaccounttoken') {
      const status = { token: `token-${++this.#version}`, expirationTimestamp: '2099-01-01T00:00:00Z' }
      return { content: { ...content, status }, isAcknowledged: false }
    }
    if (!object || failure !== undefined) {
      return { content: { ErrStatus: statusOf(failure ?? 'NotFound') }, isAcknowledged: false }
    }
    const { resourceVersion } = metadataOf(object)
    return { content: object, resourceVersion: String(resourceVersion), isAcknowledged: BARE.includes(type) }
  }

  #updateLease(resource: string, content: JsonObject): OriginalAnswer {
    const present = this.objects.get(resource)
    if (!present) return shaped(undefined, 'NotFound')
    const { resourceVersion } = metadataOf(content)
    const isStale = resourceVersion !== undefined && resourceVersion !== metadataOf(present)['resourceVersion']
    return isStale ? shaped(undefined, 'Conflict') : shaped(this.put(resource, content))
  }

  #patch(resource: string, { status }: JsonObject): OriginalAnswer {
    const present = this.objects.get(resource)
    if (!present) return shaped(undefined, 'NotFound')
    const merged = { ...(isObject(present['status']) ? present['status'] : {}), ...(isObject(status) ? status : {}) }
    return shaped(this.put(resource, { ...present, status: merged }))
  }

  #failure(request: string): string | undefined {
    for (const [part, reason] of this.failures) {
      if (!request.includes(part)) continue
      this.failures.delete(part)
      return reason
    }
    return undefined
  }
}

function shaped(object: JsonObject | undefined, reason?: string): OriginalAnswer {
  const failure = reason === undefined ? null : { ErrStatus: statusOf(reason) }
  return { content: { Object: object ?? null, Err: failure }, isAcknowledged: false }
}

function statusOf(reason: string): JsonObject {
  const codes: Readonly<Record<string, number>> = { NotFound: 404, AlreadyExists: 409, Conflict: 409 }
  return { metadata: {}, status: 'Failure', message: `it is ${reason}`, reason, code: codes[reason] ?? 500 }
}

/** Inline, or in a text. */
function objectIn(content: Json): JsonObject {
  const value: Json = typeof content === 'string' && content.startsWith('{') ? JSON.parse(content) : content
  return isObject(value) ? value : {}
}

function metadataOf(object: JsonObject | undefined): JsonObject {
  const metadata = object?.['metadata']
  return isObject(metadata) ? metadata : {}
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
