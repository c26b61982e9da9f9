import type { Random } from '../../../../platform/time/index.ts'
import { nameOf } from '../../../kube/object/index.ts'
import type { ApiObject } from '../../../kube/resource.ts'
import type { Host } from './cluster.ts'
import { type Misfit, misfitsOf } from './fitting.ts'
import { podNeeds } from './pod-needs.ts'
import { scores } from './scoring.ts'

export type Choice = { readonly node: string } | { readonly message: string }

/** The node that suits a pod best; among equals chance decides. Where none fits, why, for people. */
export function chooseNode(pod: ApiObject, hosts: readonly Host[], random: Random): Choice {
  if (hosts.length === 0) return { message: 'no nodes available to schedule pods' }
  const needs = podNeeds(pod)
  const verdicts = hosts.map((host) => ({ host, misfits: misfitsOf(pod, needs, host) }))
  const fitting = verdicts.filter(({ misfits }) => misfits.length === 0).map(({ host }) => host)
  if (fitting.length === 0) return { message: messageOf(verdicts.map(({ misfits }) => misfits)) }
  const points = scores(pod, needs, fitting)
  const most = Math.max(...points)
  const best = fitting.filter((_, position) => points[position] === most)
  const host = best[Math.floor(random.next() * best.length)] ?? best[0]
  return host ? { node: nameOf(host.node) } : { message: 'no nodes available to schedule pods' }
}

/** As in Kubernetes: `0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient cpu. no new claims to ...`. */
function messageOf(nodes: readonly (readonly Misfit[])[]): string {
  const head = `0/${nodes.length} nodes are available:`
  const reasons = histogram(nodes.flat().map(({ reason }) => reason))
  // Pods are never driven away to make room for others.
  const preemption = histogram(
    nodes.map((misfits) =>
      misfits.every(({ isFull }) => isFull)
        ? 'No preemption victims found for incoming pod'
        : 'Preemption is not helpful for scheduling',
    ),
  )
  // Nor are devices that other pods claim taken away.
  return `${head} ${reasons}. no new claims to deallocate, preemption: ${head} ${preemption}.`
}

function histogram(texts: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1)
  return [...counts]
    .map(([text, count]) => `${count} ${text}`)
    .sort()
    .join(', ')
}
