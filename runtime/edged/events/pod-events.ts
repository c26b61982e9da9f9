import type { Pod, PodIdentity } from '../pod/pod.ts'

/** What happened to a pod, for `kubectl describe`. */
export interface PodEvent {
  readonly type: 'Normal' | 'Warning'
  /** As a kubelet names it: `Pulled`, `Created`, `Started`, `Killing`, `BackOff`, `FailedMount`. */
  readonly reason: string
  readonly message: string
  /** The part of the pod that it is about, such as `spec.containers{app}`. */
  readonly fieldPath?: string
}

/** A pod; with its object where that is known, so that its Events name the version they are about. */
export type EventSubject = PodIdentity & Partial<Pick<Pod, 'source'>>

/** Events of pods, to the cloud: the same one again is counted, and what happens while the cloud is away is kept within bounds. */
export interface PodEvents {
  /** Never throws and never waits: an Event is a courtesy. */
  tell(pod: EventSubject, event: PodEvent): void
}

export function fieldPathOf(container: string, list: 'containers' | 'initContainers' = 'containers'): string {
  return `spec.${list}{${container}}`
}
