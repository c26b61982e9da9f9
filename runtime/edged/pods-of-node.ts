import { createHash } from 'node:crypto'
import { realpath } from 'node:fs/promises'
import { ensureDirectory } from '../../platform/files/index.ts'
import type { Scope } from '../../platform/lifecycle/index.ts'
import { seconds } from '../../platform/time/index.ts'
import { requestToken } from '../../schemas/index.ts'
import type { ContainerRuntime } from './cri/runtime.ts'
import { createPodEvents } from './events/create-pod-events.ts'
import { createHooks } from './hooks/create-hooks.ts'
import { createImages } from './images/create-images.ts'
import { busApi } from './lifecycle/bus-api.ts'
import { busObjects } from './lifecycle/bus-objects.ts'
import type { Crew } from './lifecycle/crew.ts'
import { DesiredPods } from './lifecycle/desired-pods.ts'
import { PodRecords } from './lifecycle/pod-record.ts'
import { Pods } from './lifecycle/pods.ts'
import { Stopper } from './lifecycle/stopper.ts'
import type { EdgedOptions, EdgedPorts } from './options.ts'
import { Places } from './places.ts'
import { type AdmissionNode, admissionProblem } from './pod/admission.ts'
import type { Pod } from './pod/pod.ts'
import { createProber } from './probes/create-prober.ts'
import { type PodDns, podDns } from './sandbox/dns.ts'
import { readHostDns } from './sandbox/host-dns.ts'
import { type ServedPods, servedPods } from './server/served-pods.ts'
import { RuntimeView } from './state/runtime-view.ts'
import { createStaticPods } from './static-pods/static-pods.ts'
import { startUpkeep } from './upkeep.ts'
import { createContainerFiles } from './volumes/container-files/container-files.ts'
import { SystemMounts } from './volumes/mounts/system-mounts.ts'
import { createPodVolumes } from './volumes/pod-volumes.ts'

const TOKEN_DEADLINE = seconds(30)

/** Runs the pods that this node has to have, on its container runtime, and says how they are: what is served of them. */
export async function startPods(
  options: EdgedOptions,
  ports: EdgedPorts & { readonly runtime: ContainerRuntime },
  scope: Scope,
): Promise<ServedPods> {
  const { bus, runtime, nodeName, clock, log, metrics } = ports
  await ensureDirectory(options.directory, 0o700)
  await ensureDirectory(options.logs, 0o755)
  const owner = await ownerOf(options.directory, nodeName)
  const onChange = (uid: string) => pods.enqueue(uid)
  const onRuntime = () => pods.enqueueAll()
  const view = new RuntimeView({ runtime, owner, clock, log, metrics, onChange, onRuntime })
  const events = createPodEvents(ports)
  const shared = { ...ports, events, onChange, objects: busObjects(bus) }
  const hooks = createHooks(shared)
  const places = new Places(options.directory, options.logs)
  const files = createStaticPods({ ...ports, folder: options.staticPods })
  const desired = new DesiredPods({ bus, onChange, files, onComplete: () => pods.enqueueAll() })
  const crew: Crew = {
    ...{ ...shared, view, desired, places, owner, nodeName, hooks },
    prober: scope.use(createProber(shared)),
    images: imagesIn(scope, createImages(shared, { maxParallelPulls: options.parallelPulls })),
    records: new PodRecords(places, log),
    volumes: createPodVolumes({
      ...{ places, objects: shared.objects, mounts: new SystemMounts(clock), clock, log },
      token: (request) => bus.request(requestToken, request, { deadline: TOKEN_DEADLINE }),
    }),
    containerFiles: createContainerFiles({ places, clusterDomain: options.dns.domain }),
    stopper: new Stopper({ ...shared, hooks, view }),
    apiOf: busApi(ports),
    shared: options.shared,
    clusterDomain: options.dns.domain,
    allowedSysctls: options.allowedSysctls,
    node: ports.machine,
    dnsOf: (pod) => dnsOf(pod, options),
    admit: (pod) => admissionProblem(pod, admissionNode(pod, { options, ports, pods })),
  }
  const pods = new Pods(crew, metrics)
  await files.start(scope)
  await pods.start(scope)
  scope.run((signal) => events.run(signal))
  scope.run((signal) => view.run(signal))
  startUpkeep(options.upkeep, crew, pods, scope)
  return servedPods(crew, pods)
}

function imagesIn<T extends Disposable>(scope: Scope, images: T): T {
  scope.defer(() => images[Symbol.dispose]())
  return images
}

/** The same for the same folder and node, also where all else was lost: what a runtime still has of it is found again. */
async function ownerOf(directory: string, nodeName: string): Promise<string> {
  return createHash('sha256')
    .update(`${await realpath(directory)}\n${nodeName}`)
    .digest('hex')
    .slice(0, 16)
}

async function dnsOf(pod: Pod, { dns }: EdgedOptions): Promise<PodDns> {
  const cluster = dns.servers.length > 0 ? { cluster: dns } : {}
  return podDns({ pod, host: await readHostDns(), ...cluster })
}

function admissionNode(
  { uid }: Pod,
  { options, ports, pods }: { options: EdgedOptions; ports: EdgedPorts; pods: Pods },
): AdmissionNode {
  const { milliCpu, memoryBytes, diskBytes } = ports.machine().allocatable
  return {
    labels: undefined,
    allocatable: { milliCpu, memoryBytes, diskBytes, pods: options.maxPods },
    others: pods.holding().filter((each) => each.uid !== uid),
    capabilities: { sysctls: options.allowedSysctls },
  }
}
