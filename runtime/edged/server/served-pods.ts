import { assignedPods, type JsonObject, podReports } from '../../../schemas/index.ts'
import type { Crew } from '../lifecycle/crew.ts'
import { type Desired, identityOf } from '../lifecycle/desired-pods.ts'
import type { Pods } from '../lifecycle/pods.ts'
import { type PodIdentity, podKey } from '../pod/pod.ts'
import type { PodView } from '../state/pod-view.ts'

/** A pod of this node, as those who ask for it are told. */
export interface ServedPod extends PodIdentity {
  /** Under which the cloud knows it: that of its mirror, for a pod from a file. */
  readonly shownUid: string | undefined
  readonly source: JsonObject
  /** A PodStatus; empty while nothing is known of it. */
  readonly status: JsonObject
}

/** What of this node's pods is served. */
export interface ServedPods {
  list(): readonly ServedPod[]
  get(namespace: string, name: string): ServedPod | undefined
  /** What the runtime has of it, as last seen. */
  view(uid: string): PodView | undefined
  /** Looks at it now. */
  refresh(uid: string, signal: AbortSignal): Promise<void>
  /** Why the container runtime does not answer, for people. */
  readonly problem: string | undefined
  /** Label of what is this node's in the runtime. */
  readonly owner: string
  /** The folder of its logs: where, and what it is called there. */
  logsOf(pod: PodIdentity): { readonly root: string; readonly folder: string }
}

export function servedPods(crew: Crew, pods: Pods): ServedPods {
  const { bus, desired, view, places, owner } = crew
  const served = (uid: string, { parsed, reportAs }: Desired): ServedPod => {
    const { name, namespace } = identityOf(parsed)
    const key = podKey({ uid, name, namespace })
    const report = bus.get(podReports, key)
    return {
      ...{ uid, name, namespace, shownUid: reportAs },
      source: 'pod' in parsed ? parsed.pod.source : (bus.get(assignedPods, key)?.pod ?? {}),
      status: (report && report.uid === reportAs ? report.status : pods.statusOf(uid)) ?? {},
    }
  }
  const list = () =>
    desired.uids().flatMap((uid) => {
      const found = desired.get(uid)
      return found ? [served(uid, found)] : []
    })
  return {
    ...{ list, owner },
    get: (namespace, name) => list().find((each) => each.namespace === namespace && each.name === name),
    view: (uid) => view.get(uid),
    refresh: (uid, signal) => view.refresh(uid, signal),
    get problem() {
      return view.problem
    },
    logsOf: (pod) => ({ root: places.logs, folder: places.podLogFolder(pod) }),
  }
}
