import type { Metrics } from '../../../platform/health/index.ts'
import type { Clock, Random } from '../../../platform/time/index.ts'
import type { JsonObject } from '../../../schemas/index.ts'
import {
  arrayAt,
  isApiObject,
  isJsonObject,
  nameOf,
  namespaceOf,
  objectAt,
  textAt,
  uidOf,
} from '../../kube/object/index.ts'
import type { ApiObject, ResourceDefinition } from '../../kube/resource.ts'
import { applyDefaults, prune } from '../../kube/schema/index.ts'
import { failure, StatusError } from '../../kube/status.ts'
import { objectText } from '../../serving/objects/object-text.ts'
import { apiVersionOf, inVersion, keyOf } from '../../serving/objects/registry.ts'
import type { Converter } from '../../serving/reading/context.ts'
import { type CallWebhook, createWebhookCaller, placeIn, type WebhookPlace } from '../admission/call.ts'
import { serviceLocator } from '../admission/service-place.ts'
import { CRD_RESOURCE } from '../rest/remove.ts'
import type { ObjectStore } from '../storage/object-store.ts'

export interface ConversionOptions {
  readonly store: ObjectStore
  readonly clock: Clock
  readonly random: Random
  readonly metrics: Metrics
}

const WITHIN_SECONDS = 10
/** Of one call; a page of kubectl has 500. */
const MOST_OBJECTS = 500
const MOST_TEXT = 4 * 1024 * 1024
/** Annotations may hold an object a second time. */
const LARGEST_ANSWER = 16 * 1024 * 1024

/** Converts by the webhook that the CustomResourceDefinition names; without one, versions differ in their apiVersion alone. */
export function objectConverter(options: ConversionOptions): Converter {
  const { store, metrics } = options
  const locate = serviceLocator(store, options.random)
  const call = createWebhookCaller({ locate, clock: options.clock, largestAnswer: LARGEST_ANSWER })
  const calls = metrics.counter({
    name: 'skerry_api_conversion_calls_total',
    help: 'Questions to conversion webhooks.',
    labels: ['outcome'],
  })
  const counted = async (
    place: WebhookPlace,
    objects: readonly ApiObject[],
    to: ResourceDefinition,
    signal: AbortSignal,
  ) => {
    try {
      const answer = await ask({ ...options, call }, place, objects, to, signal)
      calls.add(1, { outcome: 'converted' })
      return answer
    } catch (error) {
      calls.add(1, { outcome: 'failed' })
      throw error
    }
  }
  return {
    async convert(objects, definition, signal) {
      const apiVersion = apiVersionOf(definition)
      const place = definition.custom ? webhookOf(store, definition) : undefined
      if (!place) return objects.map((object) => inVersion(object, definition))
      const others = objects.filter((object) => object.apiVersion !== apiVersion)
      const shown = new Map<ApiObject, ApiObject>()
      for (const part of parts(others)) {
        const answers = await counted(place, part, definition, signal)
        for (const [index, object] of part.entries()) shown.set(object, answers[index] ?? object)
      }
      return objects.map((object) => shown.get(object) ?? object)
    },
  }
}

/** Nothing for strategy None. */
function webhookOf(store: ObjectStore, { group, plural }: ResourceDefinition): WebhookPlace | undefined {
  const crd = store.get(CRD_RESOURCE, keyOf('', `${plural}.${group}`))
  const conversion = crd ? objectAt(objectAt(crd, 'spec'), 'conversion') : {}
  if (conversion['strategy'] !== 'Webhook') return undefined
  return placeIn(objectAt(objectAt(conversion, 'webhook'), 'clientConfig'))
}

function* parts(objects: readonly ApiObject[]): Generator<readonly ApiObject[]> {
  let part: ApiObject[] = []
  let size = 0
  for (const object of objects) {
    const own = objectText(object).length
    if (part.length >= MOST_OBJECTS || (part.length > 0 && size + own > MOST_TEXT)) {
      yield part
      part = []
      size = 0
    }
    part.push(object)
    size += own
  }
  if (part.length > 0) yield part
}

async function ask(
  { random, call }: ConversionOptions & { readonly call: CallWebhook },
  place: WebhookPlace,
  objects: readonly ApiObject[],
  definition: ResourceDefinition,
  signal: AbortSignal,
): Promise<readonly ApiObject[]> {
  const from = kindText(objects[0])
  const uid = random.uuid()
  const desiredAPIVersion = apiVersionOf(definition)
  const review = {
    kind: 'ConversionReview',
    apiVersion: 'apiextensions.k8s.io/v1',
    request: { uid, desiredAPIVersion, objects },
  }
  let answers: readonly JsonObject[]
  try {
    const answer = await call(place, review, { timeoutSeconds: WITHIN_SECONDS, signal })
    answers = convertedIn(answer, uid)
  } catch (error) {
    signal.throwIfAborted()
    throw failed(
      `conversion webhook for ${from} failed: ${error instanceof Error ? error.message : String(error)}`,
      error,
    )
  }
  if (answers.length !== objects.length) {
    throw failed(`conversion webhook for ${from} returned ${answers.length} objects, expected ${objects.length}`)
  }
  return objects.map((object, index) => {
    const answer = answers[index]
    const wrong = differenceOf(object, answer, desiredAPIVersion)
    if (wrong === undefined && isApiObject(answer)) return restored(definition, object, answer)
    throw failed(
      `conversion webhook for ${from} returned invalid converted object at index ${index}: ${wrong ?? 'no object'}`,
    )
  })
}

/** Throws an Error with what the answer says of a failure. */
function convertedIn(answer: unknown, uid: string): readonly JsonObject[] {
  const response = isJsonObject(answer) ? objectAt(answer, 'response') : {}
  const given = textAt(response, 'uid')
  if (given !== uid) throw new TypeError(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(given)}`)
  const result = objectAt(response, 'result')
  const status = textAt(result, 'status')
  if (status !== 'Success') {
    throw new TypeError(textAt(result, 'message') || `response.result.status was '${status}', not 'Success'`)
  }
  return arrayAt(response, 'convertedObjects').filter(isJsonObject)
}

/** A webhook answers with the same object. */
function differenceOf(object: ApiObject, answer: JsonObject | undefined, apiVersion: string): string | undefined {
  if (!isApiObject(answer)) return 'it has no apiVersion, kind or metadata'
  if (answer.apiVersion !== apiVersion) return `must have the apiVersion ${apiVersion}, not ${answer.apiVersion}`
  const facts = [
    ['kind', object.kind, answer.kind],
    ['name', nameOf(object), nameOf(answer)],
    ['namespace', namespaceOf(object), namespaceOf(answer)],
    ['UID', uidOf(object), uidOf(answer)],
  ] as const
  const [wrong] = facts.filter(([, before, after]) => before !== after)
  return wrong && `must have the same ${wrong[0]}: ${wrong[1]} != ${wrong[2]}`
}

/** Of metadata only labels and annotations are a webhook's to change; unknown fields go, as with every object that comes in. */
function restored(definition: ResourceDefinition, object: ApiObject, answer: ApiObject): ApiObject {
  const { labels: _labels, annotations: _annotations, ...kept } = object.metadata
  const { labels, annotations } = answer.metadata
  const metadata = {
    ...kept,
    ...(labels === undefined ? {} : { labels }),
    ...(annotations === undefined ? {} : { annotations }),
  }
  return applyDefaults(definition, prune(definition, { ...answer, metadata }).object)
}

function kindText(object: ApiObject | undefined): string {
  return `${object?.apiVersion ?? ''}, Kind=${object?.kind ?? ''}`
}

function failed(message: string, cause?: unknown): StatusError {
  return new StatusError(failure(500, 'InternalError', message).status, cause)
}
