import type { CloudHub } from '../../cloudhub/delivery.ts'
import { type AnyObject, isLabel, isSubdomain, type Kubernetes, PODS } from '../../kubernetes/index.ts'
import { nodeOf, type PodCache } from '../pods/pod-cache.ts'
import { foreign, refused } from './ask.ts'

export interface OwnPodsPorts {
  readonly kubernetes: Kubernetes
  readonly hub: CloudHub
  readonly pods: PodCache
}

export interface PodClaim {
  readonly node: string
  readonly namespace: string
  readonly name: string
  /** Empty where the edge does not say which pod of the name it means. */
  readonly uid: string
}

/** Finds the pod that a node speaks of, if it is one of its own; what it should not have is taken from it. */
export class OwnPods {
  readonly #ports: OwnPodsPorts

  constructor(ports: OwnPodsPorts) {
    this.#ports = ports
  }

  /** Throws NotFound where the pod is gone or another one bears its name, and what `foreign` makes for one of another node. */
  async find(claim: PodClaim, signal: AbortSignal): Promise<AnyObject> {
    const { node, namespace, name, uid } = claim
    const cached = this.#ports.pods.get({ namespace, name })
    if (cached && isMeant(cached, uid) && nodeOf(cached) === node) return cached
    // The cache may be behind; nothing is taken from a node because of that.
    const pod = await this.#ports.kubernetes.get(PODS, { namespace, name }, signal)
    if (pod && isMeant(pod, uid)) {
      if (nodeOf(pod) === node) return pod
      // A uid names one pod for ever, and it never changes its node.
      if (uid !== '') throw foreign(`pod ${namespace}/${name} is not on node ${node}`)
      throw refused('Forbidden', `pod ${namespace}/${name} is not on node ${node}`)
    }
    this.evict(claim)
    throw refused('NotFound', `pods "${name}" not found`)
  }

  /** The node still has a pod that the API does not know. */
  evict({ node, namespace, name, uid }: PodClaim): void {
    if (![namespace, uid].every(isLabel) || !isSubdomain(name)) return
    this.#ports.hub.evict(node, { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace, uid } })
  }
}

function isMeant({ metadata }: AnyObject, uid: string): boolean {
  return uid === '' || metadata.uid === uid
}
