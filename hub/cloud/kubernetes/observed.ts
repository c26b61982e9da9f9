import { type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import { UnavailableError } from '../../../platform/lifecycle/index.ts'
import { type Clock, minutes } from '../../../platform/time/index.ts'
import type { ApiTroubles } from './api-troubles.ts'
import { kindOfTrouble, reasonOfError } from './errors.ts'
import type { Kubernetes, ResourceType } from './kubernetes.ts'

export interface ObservedPorts {
  readonly clock: Clock
  readonly troubles: ApiTroubles
  readonly metrics?: Metrics
}

type Verb = 'get' | 'list' | 'create' | 'replace' | 'patch' | 'delete'

/** What a person has to look at, where a conflict or a missing object is everyday life. */
const BAD: ReadonlySet<string> = new Set([
  'Forbidden',
  'Unauthorized',
  'NotServed',
  'RequestEntityTooLarge',
  'Malformed',
])
/** Nobody may ask for the same again. */
const FORGET = minutes(2)

/** The same API; its calls are counted and timed, and its failures told. Informers tell of lists and watches themselves. */
export function observedKubernetes(kubernetes: Kubernetes, ports: ObservedPorts): Kubernetes {
  const { clock, troubles, metrics = silentMetrics } = ports
  const requests = metrics.counter({
    name: 'skerry_kubernetes_requests_total',
    help: 'Calls of the Kubernetes API without watches, by verb and outcome.',
    labels: ['verb', 'outcome'],
  })
  const took = metrics.histogram({
    name: 'skerry_kubernetes_request_seconds',
    help: 'From a call of the Kubernetes API to its answer, also where that is a refusal.',
    labels: ['verb'],
  })

  const observe = async <T>(verb: Verb, type: ResourceType, call: () => Promise<T>, signal?: AbortSignal) => {
    const begun = clock.monotonic()
    const what = `${verb === 'get' || verb === 'list' ? 'reads' : 'writes'} of ${type.kind}`
    try {
      const answer = await call()
      requests.add(1, { verb, outcome: 'ok' })
      if (verb !== 'list') troubles.answered(what)
      return answer
    } catch (error) {
      if (!signal?.aborted) {
        requests.add(1, { verb, outcome: kindOfTrouble(error) })
        if (verb !== 'list' && isBad(error)) troubles.failed(what, error, FORGET)
      }
      throw error
    } finally {
      took.observe((clock.monotonic() - begun) / 1000, { verb })
    }
  }

  return {
    get: (type, at, signal) => observe('get', type, () => kubernetes.get(type, at, signal), signal),
    list: (type, options, signal) => observe('list', type, () => kubernetes.list(type, options, signal), signal),
    create: (type, namespace, object, signal) =>
      observe('create', type, () => kubernetes.create(type, namespace, object, signal), signal),
    createBelow: (type, at, subresource, body, signal) =>
      observe('create', type, () => kubernetes.createBelow(type, at, subresource, body, signal), signal),
    review: (type, spec, signal) => observe('create', type, () => kubernetes.review(type, spec, signal), signal),
    replace: (type, at, object, options, signal) =>
      observe('replace', type, () => kubernetes.replace(type, at, object, options, signal), signal),
    patch: (type, at, body, options, signal) =>
      observe('patch', type, () => kubernetes.patch(type, at, body, options, signal), signal),
    delete: (type, at, options, signal) =>
      observe('delete', type, () => kubernetes.delete(type, at, options, signal), signal),
    watch: (type, options, signal) => kubernetes.watch(type, options, signal),
  }
}

function isBad(error: unknown): boolean {
  return error instanceof UnavailableError || BAD.has(reasonOfError(error) ?? '')
}
