import type { ApiObject } from '../../../kube/resource.ts'
import { type Host, ownerOf } from './cluster.ts'
import { dislikes } from './fitting.ts'
import { preference } from './node-terms.ts'
import type { PodNeeds } from './pod-needs.ts'

/** Kubernetes' weights of what it weighs. */
const WEIGHTS = { taints: 3, affinity: 2, spreading: 2, room: 1 } as const
const MOST = 100
/** What a pod that asks for nothing is taken to need when nodes are compared: 100m and 200 MB, as there. */
const USUAL: ReadonlyMap<string, bigint> = new Map([
  ['cpu', 100_000_000n],
  ['memory', 200n * 1024n * 1024n * 1_000_000_000n],
])
/** Pods of a node that does not say how many it takes. */
const USUAL_PODS = 110

/** How well each node suits a pod that fits on all of them; more is better. */
export function scores(pod: ApiObject, needs: PodNeeds, hosts: readonly Host[]): readonly number[] {
  const owner = ownerOf(pod)
  const taints = reversed(hosts.map(({ node }) => dislikes(pod, node)))
  const affinity = normalized(hosts.map(({ node }) => preference(pod, node)))
  const spreading = reversed(hosts.map((host) => siblings(owner, host)))
  return hosts.map((host, position) => {
    const room = freeAfter(needs, host)
    return (
      WEIGHTS.taints * (taints[position] ?? 0) +
      WEIGHTS.affinity * (affinity[position] ?? 0) +
      WEIGHTS.spreading * (spreading[position] ?? 0) +
      WEIGHTS.room * room
    )
  })
}

/** Pods of the same controller should not all end with one node. */
function siblings(owner: string, { guests }: Host): number {
  if (owner === '') return 0
  return [...guests.values()].filter((guest) => guest.owner === owner).length
}

/** What would be left of CPU and memory, in hundredths. */
function freeAfter(needs: PodNeeds, { room, used, guests }: Host): number {
  if (!room) return MOST - Math.min(MOST, (MOST * (guests.size + 1)) / USUAL_PODS)
  const parts = [...USUAL].flatMap(([name, usual]) => {
    const offered = room.get(name) ?? 0n
    if (offered <= 0n) return []
    const asked = (needs.requests.get(name) ?? usual) + (used.get(name) ?? 0n)
    return [asked >= offered ? 0 : Number(((offered - asked) * BigInt(MOST)) / offered)]
  })
  return parts.length === 0 ? 0 : parts.reduce((sum, part) => sum + part, 0) / parts.length
}

function normalized(values: readonly number[]): readonly number[] {
  const most = Math.max(...values)
  return values.map((value) => (most <= 0 ? 0 : (MOST * value) / most))
}

function reversed(values: readonly number[]): readonly number[] {
  const most = Math.max(...values)
  return values.map((value) => (most <= 0 ? MOST : MOST - (MOST * value) / most))
}
