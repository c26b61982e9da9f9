import type { JsonObject } from '../../../../schemas/index.ts'
import { arrayAt, nameOf, namespaceOf, objectAt } from '../../../kube/object/index.ts'
import type { ApiObject } from '../../../kube/resource.ts'
import { StatusError } from '../../../kube/status.ts'
import type { ApiContext } from '../../rest/context.ts'
import { create, PODS, removePod } from '../changes.ts'
import { tellEvent } from '../events.ts'
import { controllerReference } from './owners.ts'

/** Under whose name pods are made and taken away, and until when. */
export interface Work {
  readonly api: ApiContext
  /** `replicaset-controller`: Events name it. */
  readonly component: string
  readonly signal: AbortSignal
}

/** What a pod has beside its template. */
export interface PodParts {
  /** Default: the name of the owner and a dash. */
  readonly generateName?: string
  readonly labels?: JsonObject
  readonly annotations?: JsonObject
  /** The spec in the place of that of the template. */
  readonly spec?: JsonObject
}

/** Kubernetes' own: so many pods of one owner are made or taken away in one go. */
export const MOST_AT_ONCE = 500

/** Makes a pod of a template, owned by what asks for it, and tells of it. */
export async function createPod(
  { api, component, signal }: Work,
  owner: ApiObject,
  template: JsonObject,
  parts: PodParts = {},
): Promise<ApiObject> {
  try {
    const made = await create(api, PODS, podOf(owner, template, parts), signal)
    const message = `Created pod: ${nameOf(made)}`
    await tellEvent(api, component, owner, { type: 'Normal', reason: 'SuccessfulCreate', message }, signal)
    return made
  } catch (error) {
    if (error instanceof StatusError && !isEndingNamespace(error)) {
      const message = `Error creating: ${error.message}`
      await tellEvent(api, component, owner, { type: 'Warning', reason: 'FailedCreate', message }, signal)
    }
    throw error
  }
}

/** Asks a pod to go, and tells of it. */
export async function deletePod({ api, component, signal }: Work, owner: ApiObject, pod: ApiObject): Promise<void> {
  await removePod(api, pod, signal)
  const message = `Deleted pod: ${nameOf(pod)}`
  await tellEvent(api, component, owner, { type: 'Normal', reason: 'SuccessfulDelete', message }, signal)
}

/**
 * Does something so many times, in batches of 1, 2, 4 ... at a time: where it cannot succeed, one failure is enough to know.
 * Throws the first failure, after what was begun with it.
 */
export async function slowStart(count: number, act: (position: number) => Promise<unknown>): Promise<void> {
  let done = 0
  for (let size = 1; done < count; size *= 2) {
    const batch = Math.min(size, count - done)
    const first = done
    const results = await Promise.allSettled(Array.from({ length: batch }, (_, at) => act(first + at)))
    const failed = results.find((each) => each.status === 'rejected')
    if (failed) throw failed.reason
    done += batch
  }
}

/** Nothing can be made in a namespace that is about to go: no reason to try again. */
export function isEndingNamespace(error: unknown): boolean {
  const causes = error instanceof StatusError ? (error.status.details?.causes ?? []) : []
  return causes.some(({ reason }) => reason === 'NamespaceTerminating')
}

function podOf(owner: ApiObject, template: JsonObject, parts: PodParts): ApiObject {
  const metadata = objectAt(template, 'metadata')
  const { generateName = `${nameOf(owner)}-`, spec } = parts
  const labels = { ...objectAt(metadata, 'labels'), ...parts.labels }
  const annotations = { ...objectAt(metadata, 'annotations'), ...parts.annotations }
  const finalizers = arrayAt(metadata, 'finalizers')
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName,
      namespace: namespaceOf(owner),
      labels,
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
      ...(finalizers.length === 0 ? {} : { finalizers }),
      ownerReferences: [controllerReference(owner)],
    },
    spec: spec ?? objectAt(template, 'spec'),
  }
}
