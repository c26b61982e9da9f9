import { describeError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { type Clock, type Duration, minutes, ms } from '../../../platform/time/index.ts'
import type { JsonObject } from '../../../schemas/index.ts'
import { objectIn, textIn } from '../json.ts'
import { removedConditions, reportedConditions } from './conditions.ts'
import type { MachineFacts } from './machine.ts'
import { NodeApi, type NodeApiPorts } from './node-api.ts'
import { NodeLease } from './node-lease.ts'
import { machineStatus, type NodeDescription, nodeLabels, nodeObject } from './node-object.ts'
import { type NodeSelf, plainSelf, type Seen } from './node-self.ts'

export interface NodeReporterPorts extends NodeApiPorts {
  readonly clock: Clock
  readonly log: Logger
  /** Default: a node that is connected and says nothing else. */
  readonly node?: NodeSelf
  /** Without `node`: what it says of the machine. Default: this machine. */
  readonly facts?: () => MachineFacts
  /** Told after each report, also one that failed. */
  readonly onReported?: () => void
}

const STATUS_EVERY = minutes(5)
/** Fields of a NodeStatus that are there while something runs pods. */
const OF_PODS = ['images', 'runtimeHandlers'] as const

/**
 * Registers the Node, reports its status at connect, when something changes and every five minutes, and renews its Lease
 * four times in its duration: the timings of a kubelet. The Lease does not wait for the status: a slow API makes no node silent. Runs
 * while the link lasts.
 */
export async function runNodeReporter(
  { nodeName, version }: NodeDescription,
  ports: NodeReporterPorts,
  signal: AbortSignal,
): Promise<void> {
  const reporter = new NodeReporter({ nodeName, version }, ports)
  using _changes = reporter.follow(signal)
  // The Node, then its status, then its Lease; the first report may fail, and the Lease is tried all the same.
  const first = await reporter.report(signal)
  const reporting = reporter.keepReporting(first, signal)
  await reporter.keepLease(signal)
  await reporting
}

class NodeReporter {
  readonly #description: NodeDescription
  readonly #ports: NodeReporterPorts
  readonly #self: NodeSelf
  readonly #api: NodeApi
  readonly #lease: NodeLease
  /** As the API last had it; undefined until the node is registered on this link. */
  #node: JsonObject | undefined
  #reported = { text: '', at: Number.NEGATIVE_INFINITY }
  #renewedAt = Number.POSITIVE_INFINITY
  #wake = new AbortController()
  /** Somebody said that there is news, since the last look. */
  #isNews = false

  constructor(description: NodeDescription, ports: NodeReporterPorts) {
    this.#description = description
    this.#ports = ports
    this.#self = ports.node ?? plainSelf(ports.facts)
    this.#api = new NodeApi(description.nodeName, ports)
    this.#lease = new NodeLease(description.nodeName, this.#self.lease, ports.clock)
  }

  follow(signal: AbortSignal): Disposable {
    signal.addEventListener('abort', () => this.#stir(), { once: true })
    return this.#self.onChange(() => this.#stir())
  }

  async keepReporting(first: boolean, signal: AbortSignal): Promise<void> {
    let isDone = first
    while (!signal.aborted) {
      await this.#pause(ms(isDone ? this.#every : this.#every / 2))
      if (!signal.aborted) isDone = await this.report(signal)
    }
  }

  async keepLease(signal: AbortSignal): Promise<void> {
    const { clock, onReported } = this.#ports
    const every = this.#every
    while (!signal.aborted) {
      const start = clock.monotonic()
      const isDone = await this.#renew(signal)
      onReported?.()
      // Also behind an API that takes its time the renewals begin as far apart.
      const left = (isDone ? every : every / 2) - (clock.monotonic() - start)
      await clock.sleep(ms(Math.max(isDone ? 0 : every / 10, left)), signal).catch(() => undefined)
    }
  }

  /** False where something failed and should be tried again soon. */
  async report(signal: AbortSignal): Promise<boolean> {
    this.#isNews = false
    try {
      const seen = await this.#self.look()
      if (!this.#node) await this.#register(seen)
      if (this.#isDue(seen)) await this.#reportStatus(seen)
      return true
    } catch (error) {
      if (!signal.aborted) {
        this.#ports.log.warn('The node could not be reported; trying again', { error: describeError(error) })
      }
      this.#node = undefined
      return false
    }
  }

  async #renew(signal: AbortSignal): Promise<boolean> {
    try {
      const outcome = await this.#lease.renew(this.#api, textIn(objectIn(this.#node, 'metadata'), 'uid'))
      const now = this.#ports.clock.monotonic()
      // After so long a silence a cluster may have said that nobody knows how the node is.
      const wasSilent = now - this.#renewedAt > 2 * this.#every
      this.#renewedAt = now
      if (outcome === 'replaced' || wasSilent) this.#doubt()
      return true
    } catch (error) {
      if (signal.aborted) return false
      this.#ports.log.warn('The lease could not be renewed; trying again', { error: describeError(error) })
      this.#reported.at = Number.NEGATIVE_INFINITY
      return false
    }
  }

  /** Of renewals, and of looks at itself, ms. */
  get #every(): number {
    return this.#self.lease.milliseconds / 4
  }

  /** What the API has of the Node may be another thing by now: only a report tells. */
  #doubt(): void {
    this.#reported.at = Number.NEGATIVE_INFINITY
    this.#stir()
  }

  async #register(seen: Seen): Promise<void> {
    const { nodeName } = this.#description
    const { extras } = this.#self
    const conditions = reportedConditions(seen.conditions, undefined, this.#seconds())
    const node = nodeObject(this.#description, seen.facts, { ...seen, conditions, extras })
    const made = await this.#api.insertNode(node)
    this.#reported.at = Number.NEGATIVE_INFINITY
    if ('object' in made) {
      this.#node = made.object
      return
    }
    if (made.err !== 'AlreadyExists') throw new Error(`the node was not taken: ${made.err}`)
    // Labels may be those of another version, or of whoever made the Node before this edge joined; others are kept.
    const metadata = { name: nodeName, labels: nodeLabels(nodeName, seen.facts, extras) }
    await this.#api.updateNode({ ...node, metadata })
    this.#node = await this.#patch(machineStatus(this.#description, seen.facts, seen.pods))
  }

  #isDue(seen: Seen): boolean {
    const { at, text } = this.#reported
    return this.#ports.clock.monotonic() - at >= STATUS_EVERY.milliseconds || JSON.stringify(seen) !== text
  }

  async #reportStatus(seen: Seen): Promise<void> {
    const conditions = [
      ...reportedConditions(seen.conditions, this.#node, this.#seconds()),
      ...removedConditions(seen.over, this.#node),
    ]
    this.#node = await this.#patch({ ...machineStatus(this.#description, seen.facts, seen.pods), conditions })
    this.#reported = { text: JSON.stringify(seen), at: this.#ports.clock.monotonic() }
  }

  async #patch(status: JsonObject): Promise<JsonObject> {
    const known = objectIn(this.#node, 'status')
    const gone = OF_PODS.filter((field) => known[field] !== undefined && status[field] === undefined)
    const answer = await this.#api.patchStatus({ ...status, ...Object.fromEntries(gone.map((field) => [field, null])) })
    if ('err' in answer) throw new Error(`the status of the node was not taken: ${answer.err}`)
    return answer.object
  }

  async #pause(duration: Duration): Promise<void> {
    if (this.#isNews) return
    this.#wake = new AbortController()
    await this.#ports.clock.sleep(duration, this.#wake.signal).catch(() => undefined)
  }

  #stir(): void {
    this.#isNews = true
    this.#wake.abort()
  }

  #seconds(): string {
    return new Date(this.#ports.clock.now()).toISOString().replace(/\.\d+Z$/, 'Z')
  }
}
