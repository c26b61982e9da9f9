import { UnavailableError } from '../../../../platform/lifecycle/index.ts'
import type { KubeObject } from '../../../../schemas/index.ts'
import { errorOfStatus } from '../../../cloud/kubernetes/errors.ts'
import type { Kubernetes, ListOptions, ResourceType, WatchEvent } from '../../../cloud/kubernetes/kubernetes.ts'
import type { FakeKubernetes } from '../../../cloud/testing/fake-kubernetes.ts'
import type { Scheduler } from './scheduler.ts'
import type { SeededRandom } from './seeded-random.ts'

/** How the Kubernetes API is at a moment. */
export interface ApiConditions {
  /** ms of a call. */
  delay: readonly [number, number]
  /** Of calls that fail before anything is done, and after: then the answer is lost. */
  failing: number
  lostAnswers: number
  /** 429 instead of other failures. */
  isThrottling: boolean
  isDown: boolean
  /** Watches tell nothing while it is true. */
  isWatchHeld: boolean
}

export const GOOD_API: ApiConditions = {
  delay: [1, 8],
  failing: 0,
  lostAnswers: 0,
  isThrottling: false,
  isDown: false,
  isWatchHeld: false,
}

/** As of the adapter to a real API. */
const CALL_DEADLINE_MS = 30_000
const WATCH_SILENCE_MS = 100_000

export interface ApiClientOptions {
  readonly cluster: FakeKubernetes
  /** As they are now. */
  readonly conditions: () => ApiConditions
  readonly scheduler: Scheduler
  readonly random: SeededRandom
  /** A call fails, or its answer is lost. */
  readonly onTrouble: () => void
  /** A call begins while the API is slow, or ends: its time is that of its beginning, however the API is by then. */
  readonly onSlow: (change: 1 | -1) => void
  readonly onDeleted: (uid: string) => void
  /** Told of each call that has had its effect. What it gives back is called once the caller has the answer. */
  readonly onCall: (verb: string, type: ResourceType, name: string) => (() => void) | undefined
}

/**
 * The API as one process of the cloud reaches it: with the time that calls take, the failures of a server, and answers that get
 * lost after the work is done. A process that is killed gets no more answers, but what it had asked for may still happen.
 */
export function createApiClient(options: ApiClientOptions, killed: AbortSignal): Kubernetes {
  const { cluster, conditions, scheduler, random, onCall, onDeleted, onSlow, onTrouble } = options
  const never = () => new Promise<never>(() => undefined)

  const call = async <T>(
    verb: string,
    type: ResourceType,
    name: string,
    signal: AbortSignal | undefined,
    work: () => Promise<T>,
  ): Promise<T> => {
    if (killed.aborted) return never()
    signal?.throwIfAborted()
    const { delay, failing, lostAnswers, isThrottling } = conditions()
    const answered = Promise.withResolvers<T>()
    let onAnswer: (() => void) | undefined
    const serve = async () => {
      const time = delay[0] + random.next() * (delay[1] - delay[0])
      await scheduler.sleep(time / 2)
      if (conditions().isDown) throw new UnavailableError('Kubernetes cannot answer now', UNREACHABLE)
      if (random.chance(failing)) throw errorOfStatus(isThrottling ? 429 : random.pick([500, 503, 504]), {}, {})
      const result = await work()
      onAnswer = onCall(verb, type, name)
      await scheduler.sleep(time / 2)
      if (random.chance(lostAnswers)) throw new UnavailableError('Kubernetes cannot answer now', UNREACHABLE)
      return result
    }
    const isSlow = delay[1] > GOOD_API.delay[1]
    if (isSlow) onSlow(1)
    serve()
      .finally(() => isSlow && onSlow(-1))
      .then(answered.resolve, (error: unknown) => {
        onTrouble()
        answered.reject(error)
      })
    const onAbort = () => answered.reject(signal?.reason)
    signal?.addEventListener('abort', onAbort, { once: true })
    if (delay[1] > CALL_DEADLINE_MS)
      scheduler.after(CALL_DEADLINE_MS, () =>
        answered.reject(new UnavailableError('Kubernetes cannot answer now', UNREACHABLE)),
      )
    try {
      const result = await answered.promise
      if (killed.aborted) return await never()
      onAnswer?.()
      return result
    } catch (error) {
      return killed.aborted ? await never() : await Promise.reject(error)
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  return {
    get: (type, at, signal) => call('GET', type, at.name, signal, () => cluster.get(type, at)),
    list: (type, wanted, signal) => call('LIST', type, '', signal, () => cluster.list(type, wanted)),
    create: (type, namespace, object, signal) =>
      call('POST', type, nameOf(object), signal, () => cluster.create(type, namespace, object)),
    createBelow: (type, at, subresource, body, signal) =>
      call('POST', type, `${at.name}/${subresource}`, signal, () => cluster.createBelow(type, at, subresource, body)),
    review: (type, spec, signal) => call('POST', type, '', signal, () => cluster.review(type, spec)),
    replace: (type, at, object, wanted, signal) =>
      call('PUT', type, at.name, signal, () => cluster.replace(type, at, object, wanted)),
    patch: (type, at, body, wanted, signal) =>
      call('PATCH', type, at.name, signal, () => cluster.patch(type, at, body, wanted)),
    delete: (type, at, wanted, signal) => call('DELETE', type, at.name, signal, () => cluster.delete(type, at, wanted)),

    async *watch<T extends KubeObject>(
      type: ResourceType<T>,
      wanted: ListOptions & { readonly resourceVersion: string },
      signal: AbortSignal,
    ): AsyncGenerator<WatchEvent<T>> {
      await call('WATCH', type, '', signal, async () => undefined)
      for await (const event of cluster.watch(type, wanted, signal)) {
        const until = scheduler.now + WATCH_SILENCE_MS
        do {
          await scheduler.sleep(conditions().delay[0] / 2)
          if (conditions().isWatchHeld) await scheduler.sleep(1000)
          if (killed.aborted) await never()
          if (scheduler.now > until) throw new UnavailableError('Kubernetes cannot answer now', UNREACHABLE)
        } while (conditions().isWatchHeld && !signal.aborted)
        if (signal.aborted) return
        if (event.type === 'DELETED') onDeleted(event.object.metadata.uid ?? '')
        yield event
      }
      if (killed.aborted) await never()
    },
  }
}

const UNREACHABLE = { code: 'HUB_KUBERNETES_UNAVAILABLE', fields: { reason: 'Unreachable' } }

function nameOf(object: object): string {
  const metadata: unknown = Reflect.get(object, 'metadata')
  const name: unknown = typeof metadata === 'object' && metadata !== null ? Reflect.get(metadata, 'name') : undefined
  return String(name)
}
