import type { ContainerStatus, SandboxStatus } from '../cri/runtime.ts'
import type { PodIdentity } from '../pod/pod.ts'

/** A container as the runtime has it, with the sandbox that it is in. */
export interface ContainerView extends ContainerStatus {
  readonly sandbox: string
}

/** What the container runtime has of one pod; the newest first. */
export interface PodView extends PodIdentity {
  readonly sandboxes: readonly SandboxStatus[]
  readonly containers: readonly ContainerView[]
}

export function emptyView({ uid, name, namespace }: PodIdentity): PodView {
  return { uid, name, namespace, sandboxes: [], containers: [] }
}

/** The sandbox that the pod runs in; undefined where there is none, or it has ended. */
export function readySandbox(view: PodView): SandboxStatus | undefined {
  const [newest] = view.sandboxes
  return newest?.isReady === true ? newest : undefined
}

/** By how many there were before: clocks of devices jump, and what was made after such a jump may look older. */
export function newestFirst(one: Made, other: Made): number {
  return other.metadata.attempt - one.metadata.attempt || other.createdAt - one.createdAt
}

interface Made {
  readonly metadata: { readonly attempt: number }
  readonly createdAt: number
}

/** The newest container of a name. */
export function latestOf(view: PodView, name: string): ContainerView | undefined {
  return view.containers.find(({ metadata }) => metadata.name === name)
}
