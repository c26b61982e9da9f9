import { nameOf, objectAt, sameJson, withContent, withMetadata } from '../../../../kube/object/index.ts'
import type { ApiObject } from '../../../../kube/resource.ts'
import { edit } from '../../changes.ts'
import { tellEvent } from '../../events.ts'
import { numberAt } from '../figures.ts'
import type { Work } from '../making.ts'
import { REPLICA_SETS } from '../replica-sets.ts'
import { goalOf, type Resize } from './plan.ts'
import { DESIRED, MOST } from './revisions.ts'

/** Gives ReplicaSets their sizes. True where one got another than it had. */
export async function resizeAll(work: Work, deployment: ApiObject, resizes: readonly Resize[]): Promise<boolean> {
  let isChanged = false
  for (const { set, size } of resizes) {
    if (await resize(work, deployment, set.object, size)) isChanged = true
  }
  return isChanged
}

async function resize(work: Work, deployment: ApiObject, set: ApiObject, size: number): Promise<boolean> {
  const { api, component, signal } = work
  const { replicas, surge } = goalOf(deployment)
  const goal = { [DESIRED]: String(replicas), [MOST]: String(replicas + surge) }
  const before = numberAt(objectAt(set, 'spec'), 'replicas', 1)
  const annotations = objectAt(set.metadata, 'annotations')
  if (before === size && sameJson({ ...annotations, ...goal }, annotations)) return false
  const propose = (current: ApiObject) =>
    withContent(withMetadata(current, { annotations: { ...objectAt(current.metadata, 'annotations'), ...goal } }), {
      spec: { ...objectAt(current, 'spec'), replicas: size },
    })
  await edit(api, REPLICA_SETS, set, '', propose, signal)
  if (before === size) return false
  const message = `Scaled ${size > before ? 'up' : 'down'} replica set ${nameOf(set)} from ${before} to ${size}`
  await tellEvent(api, component, deployment, { type: 'Normal', reason: 'ScalingReplicaSet', message }, signal)
  return true
}
