import type { Bus } from '../../../platform/bus/index.ts'
import { describeError, RefusedError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { type Clock, seconds } from '../../../platform/time/index.ts'
import {
  type NodeConditionReport,
  type NodeReserved,
  type NodeRuntime,
  nodeConditions,
  nodeRuntime,
} from '../../../schemas/index.ts'
import type { ContainerRuntime, RuntimeCondition, RuntimeStatus, RuntimeVersion } from '../cri/runtime.ts'
import { nodeImages } from './node-images.ts'

export interface NodeFactsPorts {
  readonly bus: Bus
  readonly clock: Clock
  readonly runtime: Pick<ContainerRuntime, 'version' | 'status' | 'listImages'>
  /** Where the runtime is asked for, as configured; people are told. */
  readonly endpoint: string
  readonly log: Logger
  /** Default 110, a kubelet's. */
  readonly maxPods?: number
  readonly reserved?: NodeReserved
}

/** Conditions of the Node that this room contributes. */
const NODE_CONDITIONS = { runtime: 'ContainerRuntimeReady', network: 'ContainerNetworkReady' } as const

const EVERY = seconds(10)
/** Images change more seldom than the runtime breaks: once in so many looks. */
const IMAGES_EVERY = 6
const KEY = 'node'
const NOTHING: NodeReserved = { milliCpu: 0, memoryBytes: 0, diskBytes: 0 }
/** A runtime's own words may be a stack trace. */
const LONGEST = 400

/**
 * Keeps the Node told of the container runtime: that it answers, which one it is, what images it has. While it does not answer, what was
 * last known of it stays. Runs until the signal; then this node runs no pods.
 */
export async function keepNodeFacts(ports: NodeFactsPorts, signal: AbortSignal): Promise<void> {
  const facts = new NodeFacts(ports)
  try {
    while (!signal.aborted) {
      await facts.look(signal)
      await ports.clock.sleep(EVERY, signal).catch(() => undefined)
    }
  } finally {
    facts.withdraw()
  }
}

class NodeFacts {
  readonly #ports: NodeFactsPorts
  readonly #said = new Map<string, string>()
  #facts: NodeRuntime
  /** Looks until the next one at images. */
  #imagesIn = 0
  #answers: boolean | undefined

  constructor(ports: NodeFactsPorts) {
    this.#ports = ports
    const { maxPods = 110, reserved = NOTHING } = ports
    this.#facts = { maxPods, images: [], handlers: [], reserved }
    this.#tell(this.#facts)
  }

  async look(signal: AbortSignal): Promise<void> {
    try {
      await this.#ask(signal)
      if (this.#answers === false) this.#ports.log.info('The container runtime answers again', this.#where)
      this.#answers = true
    } catch (error) {
      if (signal.aborted) return
      if (this.#answers !== false) {
        this.#ports.log.warn('The container runtime does not answer', { ...this.#where, error: describeError(error) })
      }
      this.#answers = false
      this.#imagesIn = 0
      this.#condition(NODE_CONDITIONS.runtime, unavailable(this.#ports.endpoint, error))
      // Nobody knows how the network is now.
      this.#condition(NODE_CONDITIONS.network, undefined)
    }
  }

  withdraw(): void {
    this.#ports.bus.remove(nodeRuntime, KEY)
    for (const type of Object.values(NODE_CONDITIONS)) this.#condition(type, undefined)
  }

  async #ask(signal: AbortSignal): Promise<void> {
    const { runtime } = this.#ports
    const [version, status] = await Promise.all([runtime.version(signal), runtime.status(signal)])
    const isImagesTurn = this.#imagesIn === 0
    const images = isImagesTurn ? nodeImages(await runtime.listImages(signal)) : this.#facts.images
    this.#imagesIn = isImagesTurn ? IMAGES_EVERY - 1 : this.#imagesIn - 1
    const handlers = status.handlers.filter((name) => name !== '')
    this.#facts = { ...this.#facts, version: `${version.name}://${version.version}`, images, handlers }
    this.#tell(this.#facts)
    this.#condition(NODE_CONDITIONS.runtime, ready(version, status))
    this.#condition(NODE_CONDITIONS.network, networkReady(status))
  }

  #tell(facts: NodeRuntime): void {
    if (this.#isNew(KEY, facts)) this.#ports.bus.set(nodeRuntime, KEY, facts)
  }

  #condition(type: string, report: NodeConditionReport | undefined): void {
    if (!this.#isNew(type, report)) return
    if (report) this.#ports.bus.set(nodeConditions, type, report)
    else this.#ports.bus.remove(nodeConditions, type)
  }

  #isNew(key: string, value: NodeRuntime | NodeConditionReport | undefined): boolean {
    const text = value === undefined ? '' : JSON.stringify(value)
    if ((this.#said.get(key) ?? '') === text) return false
    this.#said.set(key, text)
    return true
  }

  get #where() {
    return { endpoint: this.#ports.endpoint }
  }
}

function unavailable(endpoint: string, error: unknown): NodeConditionReport {
  const where = `${endpoint}: pods of this node wait`
  if (error instanceof RefusedError) {
    const message = `the container runtime refuses to answer at ${where}. It says: ${bounded(error.message)}. Its CRI plugin has to be enabled`
    return { status: 'False', reason: 'RuntimeRefuses', message }
  }
  const remedy =
    'Install containerd (Debian: apt-get install containerd containernetworking-plugins) and start it, or name the socket of the runtime in the configuration'
  return {
    status: 'False',
    reason: 'RuntimeUnavailable',
    message: `no container runtime answers at ${where}. ${remedy}`,
  }
}

function ready({ name, version }: RuntimeVersion, { conditions }: RuntimeStatus): NodeConditionReport {
  const failing = conditionIn(conditions, 'RuntimeReady')
  if (failing?.status !== false)
    return { status: 'True', reason: 'RuntimeReady', message: `${name} ${version} answers` }
  const message = `${name} ${version} answers that it cannot run containers: ${words(failing)}`
  return { status: 'False', reason: 'RuntimeNotReady', message }
}

function networkReady({ conditions }: RuntimeStatus): NodeConditionReport | undefined {
  const network = conditionIn(conditions, 'NetworkReady')
  if (!network) return undefined
  if (network.status) return { status: 'True', reason: 'NetworkReady', message: 'pods get a network' }
  const remedy =
    'Pods without hostNetwork wait. Put a network configuration into the CNI folder of the runtime (/etc/cni/net.d), with the plugins it names'
  return {
    status: 'False',
    reason: 'NetworkNotReady',
    message: `the runtime has no network for pods: ${words(network)}. ${remedy}`,
  }
}

function conditionIn(conditions: readonly RuntimeCondition[], type: string): RuntimeCondition | undefined {
  return conditions.find((each) => each.type === type)
}

function words({ reason, message }: RuntimeCondition): string {
  return bounded(message || reason || 'it does not say why')
}

function bounded(text: string): string {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}...`
}
