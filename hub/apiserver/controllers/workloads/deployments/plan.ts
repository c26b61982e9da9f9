import { objectAt, textAt } from '../../../../kube/object/index.ts'
import type { ApiObject } from '../../../../kube/resource.ts'
import { numberAt, shareOf } from '../figures.ts'
import { byAge, DESIRED, MOST, numberOf } from './revisions.ts'

/** What a Deployment asks for. */
export interface Goal {
  readonly replicas: number
  readonly isRolling: boolean
  /** Pods above `replicas` that may exist during a change. */
  readonly surge: number
  /** Pods below `replicas` that may be unavailable during a change. */
  readonly unavailable: number
}

/** A ReplicaSet as far as the sizes of all of them are decided. */
export interface Sized {
  readonly object: ApiObject
  /** What it asks for. */
  readonly size: number
  readonly available: number
  readonly total: number
}

/** A ReplicaSet and the size that it should have. */
export interface Resize {
  readonly set: Sized
  readonly size: number
}

export function goalOf(deployment: ApiObject): Goal {
  const spec = objectAt(deployment, 'spec')
  const replicas = numberAt(spec, 'replicas', 1)
  const strategy = objectAt(spec, 'strategy')
  const rolling = objectAt(strategy, 'rollingUpdate')
  const isRolling = textAt(strategy, 'type') !== 'Recreate'
  if (!isRolling) return { replicas, isRolling, surge: 0, unavailable: 0 }
  const surge = shareOf(rolling['maxSurge'], replicas, 'up')
  const unavailable = shareOf(rolling['maxUnavailable'], replicas, 'down')
  // Shares of few pods may both be none: then nothing would ever change.
  return { replicas, isRolling, surge, unavailable: surge + unavailable === 0 ? 1 : Math.min(unavailable, replicas) }
}

export function sizedOf(object: ApiObject): Sized {
  const status = objectAt(object, 'status')
  const size = numberAt(objectAt(object, 'spec'), 'replicas', 1)
  return { object, size, available: numberAt(status, 'availableReplicas'), total: numberAt(status, 'replicas') }
}

/** How large the newest ReplicaSet may be now. */
export function newSize(goal: Goal, sets: readonly Sized[], newest: Pick<Sized, 'size'>): number {
  if (!goal.isRolling || newest.size > goal.replicas) return goal.replicas
  const free = goal.replicas + goal.surge - sum(sets, ({ size }) => size)
  return free <= 0 ? newest.size : newest.size + Math.min(free, goal.replicas - newest.size)
}

/** How far the older ReplicaSets may shrink now: first pods that are not available anyway, then as many as may be missed. */
export function shrinkOld(goal: Goal, old: readonly Sized[], newest: Sized): readonly Resize[] {
  const least = goal.replicas - goal.unavailable
  const all = [...old, newest]
  const missing = newest.size - newest.available
  const most = sum(all, ({ size }) => size) - least - missing
  if (sum(old, ({ size }) => size) === 0 || most <= 0) return []
  const sizes = new Map(sorted(old).map((set) => [set, set.size]))
  let broken = 0
  for (const set of sizes.keys()) {
    const take = Math.max(0, Math.min(most - broken, set.size - set.available))
    sizes.set(set, set.size - take)
    broken += take
  }
  let free = sum(all, ({ available }) => available) - least
  for (const [set, size] of sizes) {
    const take = Math.max(0, Math.min(size, free))
    sizes.set(set, size - take)
    free -= take
  }
  return [...sizes].flatMap(([set, size]) => (size === set.size ? [] : [{ set, size }]))
}

/**
 * What becomes of all sizes where only the number of replicas changed, or a change is paused: one that is alone gets all of
 * them, otherwise each gets its share.
 */
export function rescale(goal: Goal, newest: Sized | undefined, old: readonly Sized[]): readonly Resize[] {
  const all = newest ? [...old, newest] : old
  const active = all.filter(({ size }) => size > 0)
  const alone = active.length > 1 ? undefined : (active[0] ?? newest ?? sorted(old).at(-1))
  if (alone) return [{ set: alone, size: goal.replicas }]
  if (newest && isSaturated(goal, newest)) {
    return old.filter(({ size }) => size > 0).map((set) => ({ set, size: 0 }))
  }
  return goal.isRolling ? proportional(goal, active) : []
}

/** What a ReplicaSet was made for differs from what is asked for now: the number of replicas changed. */
export function isRescaled(goal: Goal, sets: readonly Sized[]): boolean {
  return sets.some(({ object, size }) => size > 0 && (numberOf(object, DESIRED) ?? goal.replicas) !== goal.replicas)
}

function isSaturated(goal: Goal, newest: Sized): boolean {
  const { object, size, available } = newest
  return [numberOf(object, DESIRED), size, available].every((each) => each === goal.replicas)
}

/** What comes on top, or goes, is shared by size; what rounding leaves is for the largest. */
function proportional(goal: Goal, active: readonly Sized[]): readonly Resize[] {
  const allowed = goal.replicas > 0 ? goal.replicas + goal.surge : 0
  const change = allowed - sum(active, ({ size }) => size)
  // Of equal ones the newer grows and the older shrinks first.
  const aged = change > 0 ? [...sorted(active)].reverse() : sorted(active)
  const ordered = [...aged].sort((one, other) => other.size - one.size)
  let given = 0
  const resized = ordered.map((set) => {
    const part = clamp(fraction(goal, set), change - given)
    given += part
    return { set, size: set.size + part }
  })
  return resized.map(({ set, size }, position) => ({
    set,
    size: Math.max(0, position === 0 ? size + change - given : size),
  }))
}

function fraction(goal: Goal, { object, size, total }: Sized): number {
  if (goal.replicas === 0) return -size
  const before = numberOf(object, MOST) ?? Math.max(total, 1)
  return before === 0 ? 0 : Math.round((size * (goal.replicas + goal.surge)) / before) - size
}

/** Between nothing and what is left, in its direction. */
function clamp(part: number, left: number): number {
  return left > 0 ? Math.min(Math.max(part, 0), left) : Math.max(Math.min(part, 0), left)
}

function sorted(sets: readonly Sized[]): readonly Sized[] {
  const order = byAge(sets.map(({ object }) => object))
  return [...sets].sort((one, other) => order.indexOf(one.object) - order.indexOf(other.object))
}

function sum(sets: readonly Sized[], of: (set: Sized) => number): number {
  return sets.reduce((total, set) => total + of(set), 0)
}
