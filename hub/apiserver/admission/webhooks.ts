import type { Metrics } from '../../../platform/health/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import type { Clock, Random } from '../../../platform/time/index.ts'
import type { JsonObject } from '../../../schemas/index.ts'
import { arrayAt, excessOf, isApiObject, isJsonObject, objectAt, textAt } from '../../kube/object/index.ts'
import { applyJsonPatch, PatchError } from '../../kube/patch/index.ts'
import type { ApiObject, ResourceDefinition } from '../../kube/resource.ts'
import { prune } from '../../kube/schema/index.ts'
import { badRequest, failure, internalError, StatusError } from '../../kube/status.ts'
import { apiVersionOf, keyOf, type Registry, resourceOf } from '../../serving/objects/registry.ts'
import type { Converter } from '../../serving/reading/context.ts'
import { converted } from '../../serving/reading/versions.ts'
import type { Warn } from '../../serving/requests/resource-request.ts'
import { userInfo } from '../access/user-info.ts'
import type { Admission, Admitter } from '../rest/context.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import { type CallWebhook, createWebhookCaller } from './call.ts'
import { concerns, type Webhook, webhooksOf } from './rules.ts'
import { serviceLocator } from './service-place.ts'

export interface WebhookOptions {
  readonly store: ObjectStore
  readonly registry: Registry
  readonly converter: Converter
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics: Metrics
}

const GROUP = 'admissionregistration.k8s.io'

/**
 * Asks the webhooks that webhook configurations name: mutating ones in order, each seeing what those before it made of the
 * object, then validating ones all at once.
 */
export function webhookAdmitter(options: WebhookOptions): Admitter {
  const calls = options.metrics.counter({
    name: 'skerry_api_webhook_calls_total',
    help: 'Questions to admission webhooks.',
    labels: ['outcome'],
  })
  const call = createWebhookCaller({ locate: serviceLocator(options.store, options.random), clock: options.clock })
  const asked = (kind: 'mutating' | 'validating', admission: Admission) => {
    const { store } = options
    const namespace = admission.namespace === '' ? undefined : store.get('/namespaces', keyOf('', admission.namespace))
    return store
      .list(`${GROUP}/${kind}webhookconfigurations`)
      .flatMap(([, configuration]) => webhooksOf(configuration))
      .flatMap((webhook): Question[] => {
        const form = formFor(options.registry, webhook, admission, namespace)
        return form ? [{ webhook, form }] : []
      })
  }
  const counted = async (question: Question, admission: Admission, warn: Warn, signal: AbortSignal) => {
    const response = await ask({ ...options, call }, question, admission, { warn, signal })
    calls.add(1, { outcome: response ? 'allowed' : 'unreachable' })
    return response
  }
  return {
    async mutate(admission, warn, signal) {
      let { object } = admission
      for (const question of asked('mutating', admission)) {
        const { form } = question
        const shown = await inForm(options, { ...admission, object }, form, signal)
        const response = await counted(question, { ...admission, ...shown }, warn, signal)
        if (response && shown.object) {
          const changed = patched(question, shown.object, response)
          object = await converted(options, changed, admission.definition, signal)
        }
      }
      return object
    },
    async validate(admission, warn, signal) {
      const questions = asked('validating', admission)
      await Promise.all(
        questions.map(async (question) => {
          const shown = await inForm(options, admission, question.form, signal)
          await counted(question, { ...admission, ...shown }, warn, signal)
        }),
      )
    },
  }
}

interface Question {
  readonly webhook: Webhook
  /** The version in which the webhook sees the change. */
  readonly form: ResourceDefinition
}

/** Nothing where the webhook does not want to see the change in any version. */
function formFor(
  registry: Registry,
  webhook: Webhook,
  admission: Admission,
  namespace: ApiObject | undefined,
): ResourceDefinition | undefined {
  if (concerns(webhook, admission, namespace)) return admission.definition
  if (webhook.matchPolicy === 'Exact') return undefined
  const resource = resourceOf(admission.definition)
  return registry.definitions.find(
    (definition) => resourceOf(definition) === resource && concerns(webhook, { ...admission, definition }, namespace),
  )
}

async function inForm(
  options: WebhookOptions,
  { object, before }: Admission,
  form: ResourceDefinition,
  signal: AbortSignal,
): Promise<Pick<Admission, 'object' | 'before'>> {
  return {
    object: object && (await converted(options, object, form, signal)),
    before: before && (await converted(options, before, form, signal)),
  }
}

/** Of the object only what its author could have written, but not which object it is. Throws a Status. */
function patched({ webhook, form }: Question, object: ApiObject, response: JsonObject): ApiObject {
  const text = textAt(response, 'patch')
  if (text === '') return object
  const failed = (why: string, cause?: unknown) =>
    internalError(`admission webhook "${webhook.name}" attempted to modify the object: ${why}`, cause)
  if (textAt(response, 'patchType') !== 'JSONPatch') throw failed('only patchType JSONPatch is served')
  try {
    const result = applyJsonPatch(object, JSON.parse(Buffer.from(text, 'base64').toString('utf8')))
    const excess = excessOf(result)
    if (excess !== undefined) throw failed(`what is left ${excess}`)
    if (isApiObject(result) && isOther(result, object)) {
      throw failed('its apiVersion, kind, name, namespace and uid are not for a webhook to change')
    }
    if (isApiObject(result)) return prune(form, result).object
  } catch (error) {
    if (error instanceof PatchError) throw failed(error.text, error)
    if (error instanceof SyntaxError) throw failed(error.message, error)
    throw error
  }
  throw failed('what is left is no object')
}

function isOther(changed: ApiObject, object: ApiObject): boolean {
  const identity = ({ apiVersion, kind, metadata: { name, namespace, uid } }: ApiObject) =>
    JSON.stringify([apiVersion, kind, name, namespace, uid])
  return identity(changed) !== identity(object)
}

/** The webhook's answer that allows the change; undefined when it could not be asked and may be ignored. */
async function ask(
  { random, log, call }: WebhookOptions & { readonly call: CallWebhook },
  { webhook, form }: Question,
  admission: Admission,
  { warn, signal }: { readonly warn: Warn; readonly signal: AbortSignal },
): Promise<JsonObject | undefined> {
  const uid = random.uuid()
  let response: JsonObject
  try {
    const answer = await call(webhook, reviewOf(uid, admission, form), {
      timeoutSeconds: webhook.timeoutSeconds,
      signal,
    })
    response = responseOf(answer, uid)
  } catch (error) {
    signal.throwIfAborted()
    if (webhook.failurePolicy === 'Ignore') {
      log.warn('An admission webhook could not be asked and is ignored, as its policy says', {
        webhook: webhook.name,
        error,
      })
      return undefined
    }
    const why = error instanceof Error ? error.message : String(error)
    throw internalError(`failed calling webhook "${webhook.name}": failed to call webhook: ${why}`, error)
  }
  for (const text of arrayAt(response, 'warnings')) if (typeof text === 'string') warn(text)
  if (response['allowed'] !== true) throw denial(webhook, objectAt(response, 'status'))
  return response
}

/** The objects of `admission` are in the form that is asked about; its definition is that of the request. */
function reviewOf(uid: string, admission: Admission, form: ResourceDefinition): JsonObject {
  const { definition, operation, subresource, namespace, name, object, before, dryRun, user } = admission
  const kindOf = ({ group, version, kind }: ResourceDefinition) => ({ group, version, kind })
  const resourceIn = ({ group, version, plural: resource }: ResourceDefinition) => ({ group, version, resource })
  const options = operation === 'CREATE' ? 'CreateOptions' : operation === 'UPDATE' ? 'UpdateOptions' : 'DeleteOptions'
  return {
    kind: 'AdmissionReview',
    apiVersion: 'admission.k8s.io/v1',
    request: {
      uid,
      kind: kindOf(form),
      resource: resourceIn(form),
      requestKind: kindOf(definition),
      requestResource: resourceIn(definition),
      ...(subresource === '' ? {} : { subResource: subresource, requestSubResource: subresource }),
      name,
      ...(namespace === '' ? {} : { namespace }),
      operation,
      userInfo: userInfo(user),
      object: object ? { ...object, apiVersion: apiVersionOf(form) } : null,
      oldObject: before ?? null,
      dryRun,
      options: { kind: options, apiVersion: 'meta.k8s.io/v1' },
    },
  }
}

function responseOf(answer: unknown, uid: string): JsonObject {
  const response = isJsonObject(answer) ? objectAt(answer, 'response') : {}
  if (textAt(response, 'uid') === uid) return response
  throw badRequest('the answer is no AdmissionReview to the question asked')
}

/** In the words of Kubernetes, with the webhook's own code, reason and causes. */
function denial(webhook: Webhook, status: JsonObject): StatusError {
  const head = `admission webhook "${webhook.name}" denied the request`
  const message = textAt(status, 'message')
  const text = message === '' ? `${head} without explanation` : `${head}: ${message}`
  const code =
    typeof status['code'] === 'number' && status['code'] >= 400 && status['code'] < 600 ? status['code'] : 403
  const base = failure(code, code === 422 ? 'Invalid' : code === 400 ? 'BadRequest' : 'Forbidden', text).status
  const causes = arrayAt(objectAt(status, 'details'), 'causes')
    .filter(isJsonObject)
    .map((cause) => ({
      reason: textAt(cause, 'reason'),
      message: textAt(cause, 'message'),
      field: textAt(cause, 'field'),
    }))
  return new StatusError(causes.length === 0 ? base : { ...base, details: { causes } })
}
