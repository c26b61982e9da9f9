import { generateName, nameOf, namespaceOf, objectAt, textAt, timestamp, uidOf } from '../../../kube/object/index.ts'
import type { ApiObject } from '../../../kube/resource.ts'
import { StatusError } from '../../../kube/status.ts'
import { type ApiContext, systemChange } from '../../rest/context.ts'
import { createObject } from '../../rest/create.ts'
import { keyOf } from '../../rest/registry.ts'
import { removeObject } from '../../rest/remove.ts'
import { updateObject } from '../../rest/update.ts'

export const NODES = '/nodes'
export const PODS = '/pods'
const LEASES = 'coordination.k8s.io/leases'

export function nodeNamed(api: ApiContext, name: string): ApiObject | undefined {
  return api.store.get(NODES, keyOf('', name))
}

export function leaseOf(api: ApiContext, name: string): ApiObject | undefined {
  return api.store.get(LEASES, keyOf('kube-node-lease', name))
}

/** The name of the node that renews it; undefined for another resource. */
export function leaseHolder(resource: string, key: string): string | undefined {
  if (resource !== LEASES || !key.startsWith('kube-node-lease/')) return undefined
  return key.slice('kube-node-lease/'.length)
}

/** Keys of the pods that are bound to a node. */
export function podsOn(api: ApiContext, node: string): readonly string[] {
  return api.store.list(PODS).flatMap(([key, pod]) => (nodeOfPod(pod) === node ? [key] : []))
}

/** Empty for a pod that is bound to none. */
export function nodeOfPod(pod: ApiObject): string {
  return textAt(objectAt(pod, 'spec'), 'nodeName')
}

/** Changes an object that may be gone, or another one, by the time of the change; then nothing happens. */
export async function edit(
  api: ApiContext,
  resource: string,
  object: ApiObject,
  subresource: '' | 'status',
  propose: (current: ApiObject) => ApiObject,
  signal: AbortSignal,
): Promise<void> {
  const definition = api.registry.stored(resource)
  if (!definition) return
  const change = systemChange(definition, namespaceOf(object), signal)
  const isIt = (current: ApiObject) => uidOf(current) === uidOf(object)
  await unlessGone(
    updateObject(
      api,
      change,
      { name: nameOf(object), subresource },
      { propose: (current) => (isIt(current) ? propose(current) : current) },
    ),
  )
}

/** Without `gracePeriodSeconds` the pod says how long its end may take. */
export async function removePod(
  api: ApiContext,
  pod: ApiObject,
  signal: AbortSignal,
  gracePeriodSeconds?: number,
): Promise<void> {
  const definition = api.registry.stored(PODS)
  if (!definition) return
  const options = {
    propagation: 'Background',
    uid: uidOf(pod),
    resourceVersion: '',
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
  } as const
  await unlessGone(removeObject(api, systemChange(definition, namespaceOf(pod), signal), nameOf(pod), options))
}

/** An Event that `kubectl describe` shows. It tells a story and holds nothing up: where it cannot be written, it is left out. */
export async function tell(
  api: ApiContext,
  about: ApiObject,
  { type, reason, message }: { readonly type: 'Normal' | 'Warning'; readonly reason: string; readonly message: string },
  signal: AbortSignal,
): Promise<void> {
  const definition = api.registry.stored('/events')
  if (!definition) return
  const namespace = namespaceOf(about) || 'default'
  const now = timestamp(api.clock.now())
  const name = generateName(`${nameOf(about).slice(0, 50)}.`, api.random.bytes(5))
  const component = 'node-controller'
  const event = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name, namespace },
    involvedObject: {
      apiVersion: about.apiVersion,
      kind: about.kind,
      name: nameOf(about),
      // kubectl looks for the Events of a Node by its name in the place of its uid, as kubelets write them.
      uid: about.kind === 'Node' ? nameOf(about) : textAt(about.metadata, 'uid'),
      ...(namespaceOf(about) === '' ? {} : { namespace }),
    },
    ...{ type, reason, message, count: 1, firstTimestamp: now, lastTimestamp: now },
    ...{ source: { component }, reportingComponent: component, reportingInstance: '' },
  }
  try {
    await createObject(api, systemChange(definition, namespace, signal), event)
  } catch (error) {
    if (!(error instanceof StatusError)) throw error
    api.log.debug('An Event could not be written', { reason, error: error.message })
  }
}

async function unlessGone(work: Promise<unknown>): Promise<void> {
  try {
    await work
  } catch (error) {
    const reason = error instanceof StatusError ? error.status.reason : undefined
    if (reason !== 'NotFound' && reason !== 'Conflict') throw error
  }
}
