import { describeError, RefusedError } from '../../../platform/lifecycle/index.ts'
import { containerConfig } from '../containers/container-config.ts'
import { environmentOf } from '../containers/environment.ts'
import { hugepageSizes } from '../containers/hugepage-sizes.ts'
import type { ContainerConfig, Image, SandboxStatus } from '../cri/runtime.ts'
import { fieldPathOf } from '../events/pod-events.ts'
import type { PodFacts } from '../pod/facts.ts'
import { ObstacleError, type Waiting } from '../pod/obstacle.ts'
import type { Pod } from '../pod/pod.ts'
import type { PodDns } from '../sandbox/dns.ts'
import { runtimeHandler } from '../sandbox/runtime-handler.ts'
import { sandboxConfig } from '../sandbox/sandbox-config.ts'
import { type PodView, readySandbox } from '../state/pod-view.ts'
import type { InjectedAccess } from '../twins/pod-access.ts'
import { twinGrants } from '../twins/twin-grants.ts'
import type { Crew } from './crew.ts'
import type { Start } from './plan.ts'

/** A container that was started, or why not. `isTold`: somebody tells when it is worth another try. */
export type Started = { readonly containerId: string } | { readonly waiting: Waiting; readonly isTold: boolean }

const NO_ACCESS: InjectedAccess = { environment: new Map(), mounts: [] }

/** What a pod may be told of where it runs. */
export function factsOf(crew: Crew, pod: Pod, view: PodView): PodFacts {
  const node = crew.node()
  const podIps = pod.spec.hostNetwork ? node.hostIps : (readySandbox(view)?.ips ?? [])
  return { ...node, nodeName: crew.nodeName, podIps }
}

/** Makes the sandbox of a pod. Rejects with an ObstacleError where it cannot be had now. */
export async function startSandbox(crew: Crew, pod: Pod, view: PodView, signal: AbortSignal): Promise<void> {
  const { runtime, volumes } = crew
  await volumes.prepare(pod, factsOf(crew, pod, view), signal)
  // What a sandbox before it has of the network is given back first.
  for (const old of view.sandboxes) await runtime.stopSandbox(old.id, signal)
  const attempt = (view.sandboxes[0]?.metadata.attempt ?? -1) + 1
  const dns = await crew.dnsOf(pod)
  for (const warning of dns.warnings) crew.events.tell(pod, { type: 'Warning', ...warning })
  const config = await sandboxConfigOf(crew, pod, attempt, dns)
  try {
    const { handlers } = pod.spec.runtimeClassName ? await runtime.status(signal) : { handlers: [] }
    await runtime.runSandbox(config, runtimeHandler(pod, handlers), signal)
  } catch (error) {
    if (error instanceof ObstacleError || signal.aborted) throw error
    const message = `Failed to create pod sandbox: ${inWords(error)}`
    throw new ObstacleError({ reason: 'FailedCreatePodSandBox', message }, error)
  }
}

async function sandboxConfigOf(crew: Crew, pod: Pod, attempt: number, known?: PodDns) {
  const { owner, nodeName, clusterDomain, allowedSysctls, places } = crew
  const { config: dns } = known ?? (await crew.dnsOf(pod))
  const logDirectory = places.podLogs(pod)
  return sandboxConfig({ pod, attempt, owner, logDirectory, dns, nodeName, clusterDomain, allowedSysctls })
}

/** Starts containers of one pod. */
export class Starter {
  readonly #crew: Crew

  constructor(crew: Crew) {
    this.#crew = crew
  }

  /** `attempt` counts the containers of this name that the pod had before. What keeps it from starting is an answer, and an Event. */
  async start(input: StartInput, signal: AbortSignal): Promise<Started> {
    const { pod, start } = input
    const fieldPath = fieldPathOf(start.container.name, start.list)
    try {
      const image = await this.#crew.images.want(pod, start.container, signal)
      if (image.state === 'pulling') return { waiting: { reason: 'ContainerCreating', message: '' }, isTold: true }
      if (image.state === 'failed') return { waiting: image.waiting, isTold: true }
      return await this.#make(input, image.image, signal)
    } catch (error) {
      if (signal.aborted || !(error instanceof ObstacleError)) throw error
      const message = `Error: ${error.waiting.message}`
      this.#crew.events.tell(pod, { type: 'Warning', reason: 'Failed', message, fieldPath })
      return { waiting: error.waiting, isTold: false }
    }
  }

  async #make(input: StartInput, image: Image, signal: AbortSignal): Promise<Started> {
    const { runtime, events } = this.#crew
    const { pod, sandbox, start } = input
    const { name } = start.container
    const fieldPath = fieldPathOf(name, start.list)
    const config = await this.#configOf(input, image, signal)
    const sandboxSettings = await sandboxConfigOf(this.#crew, pod, sandbox.metadata.attempt)
    // One that was made and never started keeps its name from the next one.
    if (start.previous?.state === 'created') await runtime.removeContainer(start.previous.id, signal)
    const created = runtime.createContainer(sandbox.id, config, sandboxSettings, signal)
    const containerId = await obstacleFrom(created, 'CreateContainerError', signal)
    events.tell(pod, { type: 'Normal', reason: 'Created', message: `Created container: ${name}`, fieldPath })
    await obstacleFrom(runtime.startContainer(containerId, signal), 'RunContainerError', signal)
    events.tell(pod, { type: 'Normal', reason: 'Started', message: `Started container ${name}`, fieldPath })
    return { containerId }
  }

  async #configOf(input: StartInput, image: Image, signal: AbortSignal): Promise<ContainerConfig> {
    const { objects, volumes, containerFiles, owner, places } = this.#crew
    const { pod, facts, attempt } = input
    const { container } = input.start
    const access = await this.#accessOf(pod)
    const given = new Map([...(await this.#crew.apiOf(pod, signal)), ...access.environment])
    const own = await environmentOf({ pod, container, facts, objects, given, signal })
    const environment = new Map([...given, ...own])
    const mounts = [
      ...(await containerFiles.mountsOf(pod, container, attempt, facts)),
      ...(await volumes.mountsOf(pod, container, environment)),
      ...access.mounts,
    ]
    const logPath = places.containerLog(container.name, attempt)
    return containerConfig({
      ...{ pod, container, attempt, environment, mounts, image, owner, facts, logPath },
      hugepageSizes: await hugepageSizes(),
    })
  }

  async #accessOf(pod: Pod): Promise<InjectedAccess> {
    const wanted = twinGrants(pod, this.#crew.shared)
    if ('refusal' in wanted) throw new ObstacleError(wanted.refusal)
    return wanted.grants ? this.#crew.access.grant(pod, wanted.grants) : NO_ACCESS
  }
}

export interface StartInput {
  readonly pod: Pod
  readonly start: Start
  readonly sandbox: SandboxStatus
  readonly facts: PodFacts
  readonly attempt: number
}

async function obstacleFrom<T>(work: Promise<T>, reason: string, signal: AbortSignal): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (signal.aborted) throw error
    throw new ObstacleError({ reason, message: inWords(error) }, error)
  }
}

/** What a runtime refuses it says itself; what broke off on the way to it is told with its causes. */
function inWords(error: unknown): string {
  return error instanceof RefusedError ? error.message : describeError(error)
}
