import type { Metrics } from '../../../platform/health/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { type Clock, type Random, seconds, withDeadline } from '../../../platform/time/index.ts'
import type { JsonObject } from '../../../schemas/index.ts'
import { arrayAt, isApiObject, isJsonObject, objectAt, textAt } from '../../kube/object/index.ts'
import { applyJsonPatch, PatchError } from '../../kube/patch/index.ts'
import type { ApiObject } from '../../kube/resource.ts'
import { badRequest, failure, internalError, StatusError } from '../../kube/status.ts'
import type { Admission, Admitter, Warn } from '../rest/context.ts'
import { apiVersionOf, keyOf } from '../rest/registry.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import { type CallWebhook, createWebhookCaller } from './call.ts'
import { concerns, type Webhook, webhooksOf } from './rules.ts'

export interface WebhookOptions {
  readonly store: ObjectStore
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
  const call = createWebhookCaller()
  const asked = (kind: 'mutating' | 'validating', admission: Admission) => {
    const { store } = options
    const namespace = admission.namespace === '' ? undefined : store.get('/namespaces', keyOf('', admission.namespace))
    return store
      .list(`${GROUP}/${kind}webhookconfigurations`)
      .flatMap(([, configuration]) => webhooksOf(configuration))
      .filter((webhook) => concerns(webhook, admission, namespace))
  }
  const counted = async (webhook: Webhook, admission: Admission, warn: Warn, signal: AbortSignal) => {
    const response = await ask({ ...options, call }, webhook, admission, { warn, signal })
    calls.add(1, { outcome: response ? 'allowed' : 'unreachable' })
    return response
  }
  return {
    async mutate(admission, warn, signal) {
      let { object } = admission
      for (const webhook of asked('mutating', admission)) {
        const response = await counted(webhook, { ...admission, object }, warn, signal)
        if (response && object) object = patched(webhook, object, response)
      }
      return object
    },
    async validate(admission, warn, signal) {
      const webhooks = asked('validating', admission)
      await Promise.all(webhooks.map((webhook) => counted(webhook, admission, warn, signal)))
    },
  }
}

function patched(webhook: Webhook, object: ApiObject, response: JsonObject): ApiObject {
  const text = textAt(response, 'patch')
  if (text === '') return object
  const failed = (why: string, cause?: unknown) =>
    internalError(`admission webhook "${webhook.name}" attempted to modify the object: ${why}`, cause)
  if (textAt(response, 'patchType') !== 'JSONPatch') throw failed('only patchType JSONPatch is served')
  try {
    const result = applyJsonPatch(object, JSON.parse(Buffer.from(text, 'base64').toString('utf8')))
    if (isApiObject(result)) return result
  } catch (error) {
    if (error instanceof PatchError) throw failed(error.text, error)
    if (error instanceof SyntaxError) throw failed(error.message, error)
    throw error
  }
  throw failed('what is left is no object')
}

/** The webhook's answer that allows the change; undefined when it could not be asked and may be ignored. */
async function ask(
  { clock, random, log, call }: WebhookOptions & { readonly call: CallWebhook },
  webhook: Webhook,
  admission: Admission,
  { warn, signal }: { readonly warn: Warn; readonly signal: AbortSignal },
): Promise<JsonObject | undefined> {
  const uid = random.uuid()
  let response: JsonObject
  try {
    if (webhook.url === '')
      throw badRequest('webhooks in the cluster (clientConfig.service) are not served; give a url')
    const review = reviewOf(uid, admission)
    const within = seconds(webhook.timeoutSeconds)
    const answer = await withDeadline(clock, within, signal, (limited) => call(webhook, review, limited))
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

function reviewOf(uid: string, admission: Admission): JsonObject {
  const { definition, operation, subresource, namespace, name, object, before, dryRun, user } = admission
  const { group, version, kind, plural: resource } = definition
  const kinds = { group, version, kind }
  const resources = { group, version, resource }
  const options = operation === 'CREATE' ? 'CreateOptions' : operation === 'UPDATE' ? 'UpdateOptions' : 'DeleteOptions'
  return {
    kind: 'AdmissionReview',
    apiVersion: 'admission.k8s.io/v1',
    request: {
      uid,
      kind: kinds,
      resource: resources,
      requestKind: kinds,
      requestResource: resources,
      ...(subresource === '' ? {} : { subResource: subresource, requestSubResource: subresource }),
      name,
      ...(namespace === '' ? {} : { namespace }),
      operation,
      userInfo: { username: user.name, groups: user.groups },
      object: object ? { ...object, apiVersion: apiVersionOf(definition) } : null,
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
