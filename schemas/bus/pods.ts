import type { JsonObject } from '../device/index.ts'
import { requestChannel, stateChannel } from './declare.ts'

/** A pod that this node has to run, from durable metadata. Written by MetaManager; key: `<namespace>/<name>`. */
export interface AssignedPod {
  /** Another uid under the same key is another pod: the one before it has to end. */
  readonly uid: string
  /** The Pod as the cloud last said; `metadata.deletionTimestamp` means that it has to end. */
  readonly pod: JsonObject
}
/** Complete once `listed` has key `pods`. */
export const assignedPods = stateChannel<AssignedPod>('pods.assigned')

/**
 * What is true of a pod here. Written by whoever runs pods; key: `<namespace>/<name>`; removed with the pod. EdgeHub brings the latest one
 * to the cloud, now or when it is back, until the cloud has it.
 */
export interface PodReport {
  readonly uid: string
  /** The whole PodStatus; conditions of other types than named here are left to their owners. */
  readonly status: JsonObject
  /** The pod had to end and nothing of it is left: the cloud may delete it. */
  readonly isFinished?: boolean
}
export const podReports = stateChannel<PodReport>('pods.reports')

/** Pods of one namespace whose containers are to end, within their grace, and to be started again. */
export interface PodRestarts {
  readonly namespace: string
  /** At most MOST_RESTARTED. */
  readonly names: readonly string[]
}
export const MOST_RESTARTED = 256

/** One of them: it begins now, or why not. */
export type PodRestarted =
  | { readonly name: string; readonly outcome: 'restarting' }
  | { readonly name: string; readonly outcome: 'unknown' | 'refused'; readonly reason: string }

/** Served by Edged while this node runs pods; answered at once, in the order of the names. */
export const restartPods = requestChannel<PodRestarts, readonly PodRestarted[]>('pods.restart')
