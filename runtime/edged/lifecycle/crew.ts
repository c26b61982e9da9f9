import type { Bus } from '../../../platform/bus/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import type { Clock, Random } from '../../../platform/time/index.ts'
import type { ContainerRuntime } from '../cri/runtime.ts'
import type { PodEvents } from '../events/pod-events.ts'
import type { Hooks } from '../hooks/hooks.ts'
import type { Images } from '../images/images.ts'
import type { Places } from '../places.ts'
import type { PodFacts } from '../pod/facts.ts'
import type { Pod } from '../pod/pod.ts'
import type { PodObjects } from '../pod/pod-objects.ts'
import type { Prober } from '../probes/prober.ts'
import type { PodDns } from '../sandbox/dns.ts'
import type { RuntimeView } from '../state/runtime-view.ts'
import type { PodAccess } from '../twins/pod-access.ts'
import type { SharedTwins } from '../twins/twin-grants.ts'
import type { ContainerFiles } from '../volumes/container-files/container-files.ts'
import type { PodVolumes } from '../volumes/volumes.ts'
import type { ApiOf } from './bus-api.ts'
import type { DesiredPods } from './desired-pods.ts'
import type { PodRecords } from './pod-record.ts'
import type { Stopper } from './stopper.ts'

/** All who have a hand in a pod. */
export interface Crew {
  readonly bus: Bus
  readonly runtime: ContainerRuntime
  readonly view: RuntimeView
  readonly desired: DesiredPods
  readonly records: Pick<PodRecords, 'all' | 'remove' | 'write'>
  readonly volumes: PodVolumes
  readonly containerFiles: ContainerFiles
  readonly images: Images
  readonly prober: Prober
  readonly hooks: Hooks
  readonly events: PodEvents
  readonly stopper: Stopper
  readonly objects: PodObjects
  readonly access: PodAccess
  readonly apiOf: ApiOf
  readonly shared: readonly SharedTwins[]
  readonly places: Places
  /** Label of what is this node's in the runtime. */
  readonly owner: string
  readonly nodeName: string
  readonly clusterDomain: string
  /** Kernel parameters that pods may set beside the safe ones. */
  readonly allowedSysctls: readonly string[]
  readonly node: () => Omit<PodFacts, 'podIps' | 'nodeName'>
  readonly dnsOf: (pod: Pod) => Promise<PodDns>
  /** Why this node does not take a pod that it could read; asked once, before anything of it is made. */
  readonly admit: (pod: Pod) => { readonly reason: string; readonly message: string } | undefined
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** Something that a pod waited for may have come. */
  readonly onChange: (uid: string) => void
}
