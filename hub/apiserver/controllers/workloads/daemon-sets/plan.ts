import { isDeleting, nameOf, textAt } from '../../../../kube/object/index.ts'
import type { ApiObject } from '../../../../kube/resource.ts'
import { nodeOfPod } from '../../changes.ts'
import { isOver, isReady, phaseOf } from '../pods.ts'
import { type Fit, isUpdated } from './daemon-pods.ts'

/** A node and the pods of one DaemonSet that are there, or meant for it. */
export interface Place {
  readonly node: string
  readonly fit: Fit
  readonly pods: readonly ApiObject[]
}

export interface Aim {
  /** Of the revision that pods should be of. */
  readonly hash: string
  readonly surge: number
  readonly unavailable: number
  isAvailable(pod: ApiObject): boolean
}

export interface Step {
  /** Nodes that get a pod. */
  readonly create: readonly string[]
  readonly remove: readonly ApiObject[]
}

/** One pod for each node that fits, none elsewhere; those that ended give way. */
export function place({ node, fit, pods }: Place, aim: Aim): Step {
  if (!fit.isAllowed) return { create: [], remove: pods.filter((pod) => !isDeleting(pod)) }
  const live = pods.filter((pod) => !isDeleting(pod))
  const ended = live.filter(isOver)
  const running = byAge(live.filter((pod) => !isOver(pod)))
  if (pods.length === 0) return { create: fit.isWanted ? [node] : [], remove: [] }
  if (aim.surge === 0) return { create: [], remove: [...ended, ...running.slice(1)] }
  const create = running.length === 0 && ended.length === 0 && fit.isWanted ? [node] : []
  return { create, remove: [...ended, ...surplus(running, aim)] }
}

/** Which old pods give way to the revision that is wanted, as many at a time as may be missing. */
export function replaceOld(places: readonly Place[], aim: Aim): Step {
  return aim.surge > 0 ? surgeOld(places, aim) : removeOld(places, aim)
}

/** Oldest first; those that are bound before those that are not. */
export function byAge(pods: readonly ApiObject[]): readonly ApiObject[] {
  const rank = (pod: ApiObject) =>
    `${nodeOfPod(pod) === '' ? 1 : 0} ${textAt(pod.metadata, 'creationTimestamp')} ${nameOf(pod)}`
  return [...pods].sort((one, other) => (rank(one) < rank(other) ? -1 : 1))
}

export function hasFailed(pod: ApiObject): boolean {
  return phaseOf(pod) === 'Failed'
}

function removeOld(places: readonly Place[], aim: Aim): Step {
  let missing = 0
  const broken: ApiObject[] = []
  const candidates: ApiObject[] = []
  for (const { pods, fit } of places) {
    // A node that is not for it, and has none, misses none.
    if (pods.length === 0 && !fit.isWanted) continue
    const found = generations(pods, aim)
    if (!found || (found.old === undefined) === (found.new === undefined)) missing++
    else if (found.new) missing += aim.isAvailable(found.new) ? 0 : 1
    else if (found.old && !aim.isAvailable(found.old)) {
      broken.push(found.old)
      missing++
    } else if (found.old) candidates.push(found.old)
  }
  return { create: [], remove: [...broken, ...candidates.slice(0, Math.max(0, aim.unavailable - missing))] }
}

function surgeOld(places: readonly Place[], aim: Aim): Step {
  let surging = 0
  const remove: ApiObject[] = []
  const needed: string[] = []
  const candidates: string[] = []
  for (const { node, pods, fit } of places) {
    const found = generations(pods, aim)
    if (!found) surging++
    else if (found.old && !found.new) {
      if (!fit.isWanted) {
        if (!aim.isAvailable(found.old)) remove.push(found.old)
      } else if (aim.isAvailable(found.old)) candidates.push(node)
      else needed.push(node)
    } else if (found.old && found.new) {
      if (aim.isAvailable(found.new)) remove.push(found.old)
      else surging++
    }
  }
  return { create: [...needed, ...candidates.slice(0, Math.max(0, aim.surge - surging))], remove }
}

/** The pod of the wanted revision and the one of another; undefined where there are more. */
function generations(
  pods: readonly ApiObject[],
  { hash }: Aim,
): { readonly new: ApiObject | undefined; readonly old: ApiObject | undefined } | undefined {
  const live = pods.filter((pod) => !isDeleting(pod))
  const fresh = live.filter((pod) => isUpdated(pod, hash))
  const old = live.filter((pod) => !isUpdated(pod, hash))
  return fresh.length > 1 || old.length > 1 ? undefined : { new: fresh[0], old: old[0] }
}

/** While surging two pods stay: an old one that serves, and a new one that does not serve yet. */
function surplus(running: readonly ApiObject[], aim: Aim): readonly ApiObject[] {
  if (running.length <= 1) return []
  const fresh = running.filter((pod) => isUpdated(pod, aim.hash))
  const old = running.filter((pod) => !isUpdated(pod, aim.hash))
  const [firstNew] = fresh
  const [firstOld] = old
  const isReplaced = firstNew && firstOld && (!isReady(firstOld) || aim.isAvailable(firstNew))
  return [...fresh.slice(1), ...old.slice(1), ...(isReplaced ? [firstOld] : [])]
}
