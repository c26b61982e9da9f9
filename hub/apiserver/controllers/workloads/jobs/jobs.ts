import { createReconciler, type Reconciler } from '../../../../../platform/lifecycle/index.ts'
import { ms } from '../../../../../platform/time/index.ts'
import type { Json, JsonObject } from '../../../../../schemas/index.ts'
import {
  arrayAt,
  isDeleting,
  isJsonObject,
  nameOf,
  namespaceOf,
  objectAt,
  textAt,
  uidOf,
  withContent,
} from '../../../../kube/object/index.ts'
import type { ApiObject } from '../../../../kube/resource.ts'
import type { ApiContext } from '../../../rest/context.ts'
import { edit, PODS, remove } from '../../changes.ts'
import type { Controller, ControllerOptions } from '../../controller.ts'
import { tellEvent } from '../../events.ts'
import { findCondition } from '../conditions.ts'
import { createPod, deletePod, isEndingNamespace, MOST_AT_ONCE, slowStart, type Work } from '../making.ts'
import { claim, controllerOf, follow, isControlledBy } from '../owners.ts'
import { byDispensability, isActive, isOver } from '../pods.ts'
import { type Assessment, assess, type End, failureAnnotation, untilDeadline } from './assess.ts'
import { INDEX } from './indexes.ts'
import { endingStatus, endOf, expiryOf, isComplete, isQuiet, isSuspended, jobStatus, REACHED } from './status.ts'
import { isTracked, letGo, settled, TRACKING } from './tracking.ts'

const JOBS = 'batch/jobs'

/** Runs the pods of each Job until enough of them succeeded, or too many failed. */
export function jobs({ api, metrics }: ControllerOptions): Controller {
  const reconciler: Reconciler = createReconciler({
    name: 'jobs',
    workers: 4,
    clock: api.clock,
    random: api.random,
    log: api.log,
    metrics,
    reconcile: async (key, signal) => {
      const work: Work = { api, component: 'job-controller', signal }
      const job = api.store.get(JOBS, key)
      await freeOrphans(work, key, job)
      const wait = job ? await reconcile(work, job) : Number.POSITIVE_INFINITY
      if (Number.isFinite(wait)) reconciler.enqueueAfter(key, ms(Math.max(0, wait)))
    },
  })
  const enqueue = (key: string) => void reconciler.enqueue(key)
  return {
    watch() {
      const following = follow(api, { owners: JOBS, kind: 'Job', dependents: PODS, enqueue })
      for (const [, pod] of api.store.list(PODS)) if (isTracked(pod)) enqueue(homeOf(pod))
      const orphans = api.store.onChange((resource, { after }) => {
        if (resource === PODS && after && isTracked(after) && !controllerOf(after)) enqueue(homeOf(after))
      })
      return {
        [Symbol.dispose]() {
          following[Symbol.dispose]()
          orphans[Symbol.dispose]()
        },
      }
    },
    run: (signal) => reconciler.run(signal),
  }
}

/** Answers with the ms after which it has to be looked at again; Infinity for never. */
async function reconcile(work: Work, job: ApiObject): Promise<number> {
  const { api, signal } = work
  const pods = await claim(api, job, PODS, signal)
  if (endOf(job)) {
    await letGo(work, pods)
    return await expire(work, job)
  }
  const found = assess(job, pods, api.clock.now())
  const end = found.failure ?? found.success
  let failure: { readonly error: unknown } | undefined
  try {
    if (found.failure && !isDeleting(job)) await endAll(work, job, pods.filter(isActive))
    else if (end) await clear(work, job, pods.filter(isActive))
    else if (!isDeleting(job)) await manage(work, job, pods, found)
  } catch (error) {
    failure = { error }
  }
  await conclude(work, job)
  if (failure && !isEndingNamespace(failure.error)) throw failure.error
  // What is ending waits for its pods, not for a time.
  if (end) return Number.POSITIVE_INFINITY
  const deadline = untilDeadline(currentOf(api, job), api.clock.now())
  return found.wait > 0 ? Math.min(found.wait, deadline) : deadline
}

/** Makes the pods that are missing, or takes away those that are too many. */
async function manage(work: Work, job: ApiObject, pods: readonly ApiObject[], found: Assessment): Promise<void> {
  const active = pods.filter(isActive)
  const wanted = isSuspended(job) ? 0 : found.wanted
  if (active.length > wanted) {
    const surplus = byDispensability(active, active).slice(0, Math.min(active.length - wanted, MOST_AT_ONCE))
    return await clear(work, job, surplus)
  }
  const isWaiting = objectAt(job, 'spec')['podReplacementPolicy'] === 'Failed'
  const terminating = isWaiting ? pods.filter((pod) => isDeleting(pod) && !isOver(pod)).length : 0
  const missing = Math.min(wanted - active.length - terminating, MOST_AT_ONCE)
  if (missing <= 0 || found.wait > 0) return
  if (textAt(objectAt(job, 'spec'), 'completionMode') !== 'Indexed') {
    return await slowStart(missing, () => createPod(work, job, templateOf(job)))
  }
  const indexes = found.nextIndexes(missing)
  await slowStart(indexes.length, (position) => createIndexed(work, job, indexes[position] ?? 0, found))
}

async function createIndexed(work: Work, job: ApiObject, index: number, found: Assessment): Promise<void> {
  const template = templateOf(job)
  const isCounting = objectAt(job, 'spec')['backoffLimitPerIndex'] !== undefined
  const own = { [INDEX]: String(index) }
  await createPod(work, job, template, {
    generateName: `${nameOf(job)}-${index}-`,
    labels: own,
    annotations: { ...own, ...(isCounting ? failureAnnotation(found.failuresOf(index)) : {}) },
    spec: { ...withIndexVariable(objectAt(template, 'spec')), hostname: `${nameOf(job)}-${index}` },
  })
}

/** Pods that still run when the job fails count, so why it fails is written down before they go. */
async function endAll(work: Work, job: ApiObject, pods: readonly ApiObject[]): Promise<void> {
  if (pods.length === 0) return
  await writeStatus(work, job)
  await Promise.all(pods.map((pod) => deletePod(work, job, pod)))
}

/** Pods that the job takes away because they are too many count as nothing. */
async function clear(work: Work, job: ApiObject, pods: readonly ApiObject[]): Promise<void> {
  await letGo(work, pods)
  await Promise.all(pods.map((pod) => deletePod(work, job, pod)))
}

/** Writes down how the job stands, frees the pods that are counted with it, and tells of its end. */
async function conclude(work: Work, job: ApiObject): Promise<void> {
  const { api } = work
  await writeStatus(work, job)
  const freed = settled(currentOf(api, job), ownPods(api, job))
  if (freed.length > 0) {
    await letGo(work, freed)
    await writeStatus(work, job)
  }
  await tellChanges(work, job, currentOf(api, job))
}

async function writeStatus({ api, signal }: Work, job: ApiObject): Promise<void> {
  const propose = (current: ApiObject) => withContent(current, { status: statusOf(api, current, ownPods(api, job)) })
  await edit(api, JOBS, job, 'status', propose, signal)
}

function ownPods(api: ApiContext, job: ApiObject): readonly ApiObject[] {
  return api.store.list(PODS, `${namespaceOf(job)}/`).flatMap(([, pod]) => (isControlledBy(pod, job) ? [pod] : []))
}

function statusOf(api: ApiContext, job: ApiObject, pods: readonly ApiObject[]): JsonObject {
  const now = api.clock.now()
  if (endOf(job)) return objectAt(job, 'status')
  const found = assess(job, pods, now)
  const status = jobStatus(job, pods, found, now)
  const good: End | undefined = found.success ?? (isComplete(job, pods, found) ? REACHED : undefined)
  const why = found.failure ?? good
  if (!why || isDeleting(job)) return status
  return endingStatus(status, { isGood: found.failure === undefined, why }, isQuiet(pods, found), now)
}

async function tellChanges({ api, component, signal }: Work, before: ApiObject, after: ApiObject): Promise<void> {
  const condition = (job: ApiObject, type: string) =>
    findCondition(arrayAt(objectAt(job, 'status'), 'conditions'), type)
  const isNew = (type: string, status: string) =>
    condition(after, type)?.['status'] === status && condition(before, type)?.['status'] !== status
  const say = (type: 'Normal' | 'Warning', reason: string, message: string) =>
    tellEvent(api, component, after, { type, reason, message }, signal)
  if (isNew('Suspended', 'True')) await say('Normal', 'Suspended', 'Job suspended')
  if (isNew('Suspended', 'False')) await say('Normal', 'Resumed', 'Job resumed')
  if (isNew('Complete', 'True')) await say('Normal', 'Completed', 'Job completed')
  if (!isNew('Failed', 'True')) return
  const failed = condition(after, 'Failed') ?? {}
  await say('Warning', textAt(failed, 'reason'), textAt(failed, 'message'))
}

/** A job that has ended goes by itself after as long as it says, its pods first. */
async function expire({ api, signal }: Work, job: ApiObject): Promise<number> {
  const expiry = expiryOf(job)
  if (expiry === undefined || isDeleting(job)) return Number.POSITIVE_INFINITY
  const wait = expiry - api.clock.now()
  if (wait > 0) return wait
  await remove(api, JOBS, job, signal, { propagation: 'Foreground' })
  return Number.POSITIVE_INFINITY
}

/** Pods whose job is gone, or let them go, are held for nothing. */
async function freeOrphans(work: Work, key: string, job: ApiObject | undefined): Promise<void> {
  const [namespace = ''] = key.split('/')
  const orphans = work.api.store.list(PODS, `${namespace}/`).flatMap(([, pod]) => {
    const isOurs = isTracked(pod) && homeOf(pod) === key
    return isOurs && !(job && isControlledBy(pod, job)) ? [pod] : []
  })
  await letGo(work, orphans)
}

/** The key of the job that a pod is of, or was; of the pod itself where it does not say. */
function homeOf(pod: ApiObject): string {
  const owner = controllerOf(pod)?.['name']
  const label = objectAt(pod.metadata, 'labels')['batch.kubernetes.io/job-name']
  const name = typeof owner === 'string' ? owner : typeof label === 'string' ? label : nameOf(pod)
  return `${namespaceOf(pod)}/${name}`
}

function templateOf(job: ApiObject): JsonObject {
  const template = objectAt(objectAt(job, 'spec'), 'template')
  const metadata = objectAt(template, 'metadata')
  return { ...template, metadata: { ...metadata, finalizers: [...arrayAt(metadata, 'finalizers'), TRACKING] } }
}

/** Each container is told its index in `JOB_COMPLETION_INDEX`. */
function withIndexVariable(spec: JsonObject): JsonObject {
  const variable = {
    name: 'JOB_COMPLETION_INDEX',
    valueFrom: { fieldRef: { fieldPath: `metadata.labels['${INDEX}']` } },
  }
  const told = (container: Json): Json => {
    if (!isJsonObject(container)) return container
    const env = arrayAt(container, 'env')
    const isTold = env.some((each) => isJsonObject(each) && each['name'] === variable.name)
    return isTold ? container : { ...container, env: [...env, variable] }
  }
  const inits = arrayAt(spec, 'initContainers')
  return {
    ...spec,
    containers: arrayAt(spec, 'containers').map(told),
    ...(inits.length === 0 ? {} : { initContainers: inits.map(told) }),
  }
}

function currentOf(api: ApiContext, job: ApiObject): ApiObject {
  const current = api.store.get(JOBS, `${namespaceOf(job)}/${nameOf(job)}`)
  return current && uidOf(current) === uidOf(job) ? current : job
}
