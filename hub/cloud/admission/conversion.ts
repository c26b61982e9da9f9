import { DEVICE_API_VERSION, DEVICE_GROUP, type JsonObject, toAlpha, toBeta } from '../../../schemas/index.ts'
import { isJsonObject, isRecord } from '../kubernetes/guards.ts'

const ALPHA_API_VERSION = `${DEVICE_GROUP}/v1alpha2`
const API_VERSION = 'apiextensions.k8s.io/v1'

/** Answers one ConversionReview (apiextensions.k8s.io/v1): all of its objects or a failure. Nothing where the body is no review. */
export function answerConversion(body: unknown): object | undefined {
  const request = isRecord(body) ? body['request'] : undefined
  if (!isRecord(body) || !isRecord(request) || typeof request['uid'] !== 'string') return undefined
  return {
    apiVersion: API_VERSION,
    kind: 'ConversionReview',
    response: { uid: request['uid'], ...outcome(body, request) },
  }
}

type Outcome =
  | { readonly result: { readonly status: 'Success' }; readonly convertedObjects: readonly JsonObject[] }
  | {
      readonly result: { readonly status: 'Failure'; readonly message: string }
      readonly convertedObjects: readonly []
    }

function outcome(body: Readonly<Record<string, unknown>>, request: Readonly<Record<string, unknown>>): Outcome {
  if (body['apiVersion'] !== API_VERSION) {
    return failure(`ConversionReview of ${String(body['apiVersion'])} is not served: ask with ${API_VERSION}`)
  }
  const desired = request['desiredAPIVersion']
  if (desired !== DEVICE_API_VERSION && desired !== ALPHA_API_VERSION) {
    return failure(`desiredAPIVersion ${String(desired)} is neither ${ALPHA_API_VERSION} nor ${DEVICE_API_VERSION}`)
  }
  const objects: unknown = request['objects']
  if (!Array.isArray(objects)) return failure('objects is no list')
  const convertedObjects: JsonObject[] = []
  for (const [index, object] of objects.entries()) {
    const converted = convert(object, desired)
    if (typeof converted === 'string') return failure(`objects[${index}]: ${converted}`)
    convertedObjects.push(converted)
  }
  return { result: { status: 'Success' }, convertedObjects }
}

/** The object in the desired version, or why not. */
function convert(object: unknown, desired: string): JsonObject | string {
  if (!isJsonObject(object) || !isRecord(object['metadata'])) return 'is no object with metadata'
  const { apiVersion, kind } = object
  if (kind !== 'Device' && kind !== 'DeviceModel') return `kind ${String(kind)} is neither Device nor DeviceModel`
  if (apiVersion !== DEVICE_API_VERSION && apiVersion !== ALPHA_API_VERSION) {
    return `apiVersion ${String(apiVersion)} is neither ${ALPHA_API_VERSION} nor ${DEVICE_API_VERSION}`
  }
  if (apiVersion === desired) return object
  return desired === DEVICE_API_VERSION ? toBeta(kind, object) : toAlpha(kind, object)
}

function failure(message: string): Outcome {
  return { result: { status: 'Failure', message }, convertedObjects: [] }
}
