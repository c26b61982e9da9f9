import type { Container, Sandbox } from '../cri/runtime.ts'
import { LABELS } from '../state/labels.ts'
import { newestFirst } from '../state/pod-view.ts'

export interface Keep {
  readonly keepOfEach: number
  readonly keepInAll: number
  /** Unix ms; nothing younger is spare. */
  readonly createdBefore: number
}

/** Containers that do not run and that nobody needs: of pods that are gone all, of others what is beyond the bounds. */
export function spareContainers(
  containers: readonly Container[],
  living: ReadonlySet<string>,
  { keepOfEach, keepInAll, createdBefore }: Keep,
): readonly Container[] {
  const spare: Container[] = []
  const kept: { readonly container: Container; readonly isFollowed: boolean }[] = []
  for (const [newest, ...older] of byName(containers)) {
    if (!newest) continue
    let left = keepOfEach
    for (const container of [newest, ...older]) {
      if (container.state === 'running') continue
      if (!living.has(podOf(container))) spare.push(container)
      else if (left > 0) kept.push({ container, isFollowed: container !== newest })
      else spare.push(container)
      left--
    }
  }
  const first = kept.toSorted(
    (a, b) => Number(b.isFollowed) - Number(a.isFollowed) || a.container.createdAt - b.container.createdAt,
  )
  const beyond = first.slice(0, Math.max(0, kept.length - keepInAll)).map(({ container }) => container)
  return [...spare, ...beyond].filter(({ createdAt }) => createdAt < createdBefore)
}

/** Sandboxes that have ended and hold no container; of a pod that is to be the newest stays, because its number counts on. */
export function spareSandboxes(
  sandboxes: readonly Sandbox[],
  containers: readonly Container[],
  living: ReadonlySet<string>,
  createdBefore: number,
): readonly Sandbox[] {
  const inUse = new Set(containers.map(({ sandbox }) => sandbox))
  const newest = new Map<string, Sandbox>()
  for (const sandbox of sandboxes) {
    const known = newest.get(sandbox.metadata.uid)
    if (!known || newestFirst(sandbox, known) < 0) newest.set(sandbox.metadata.uid, sandbox)
  }
  return sandboxes.filter(
    (sandbox) =>
      !sandbox.isReady &&
      !inUse.has(sandbox.id) &&
      sandbox.createdAt < createdBefore &&
      !(living.has(sandbox.metadata.uid) && newest.get(sandbox.metadata.uid) === sandbox),
  )
}

/** Those of one name in one pod together, the newest first. */
function byName(containers: readonly Container[]): Iterable<readonly Container[]> {
  const groups = new Map<string, Container[]>()
  for (const container of containers.toSorted(newestFirst)) {
    const key = `${podOf(container)} ${container.metadata.name}`
    const group = groups.get(key) ?? []
    group.push(container)
    groups.set(key, group)
  }
  return groups.values()
}

function podOf({ labels }: Container): string {
  return labels[LABELS.podUid] ?? ''
}
