import { describeError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { type Clock, minutes, seconds } from '../../../platform/time/index.ts'
import {
  type Frame,
  type FrameRoute,
  GROUPS,
  type Json,
  type JsonObject,
  MODULES,
  OPERATIONS,
} from '../../../schemas/index.ts'
import type { FrameFactory } from '../../link/index.ts'
import {
  type MachineFacts,
  machineFacts,
  machineStatus,
  type NodeDescription,
  nodeLabels,
  nodeObject,
  readyCondition,
} from './node-object.ts'

export interface NodeReporterPorts {
  readonly frames: FrameFactory
  readonly clock: Clock
  readonly log: Logger
  /** Sends a request and gives the content of its answer. */
  readonly ask: (frame: Frame) => Promise<Json>
  /** Default: this machine. */
  readonly facts?: () => MachineFacts
  /** Told after each report, also one that failed. */
  readonly onReported?: () => void
}

const LEASE_SECONDS = 40
const LEASE_EVERY = seconds(10)
const STATUS_EVERY = minutes(5)
const RETRY = seconds(5)

/**
 * Registers the Node, reports its status at connect, when the machine changes and every five minutes, and renews its Lease
 * every ten seconds: the timings of a kubelet. Runs while the link lasts.
 */
export async function runNodeReporter(
  { nodeName, version }: NodeDescription,
  ports: NodeReporterPorts,
  signal: AbortSignal,
): Promise<void> {
  const reporter = new NodeReporter({ nodeName, version }, ports)
  while (!signal.aborted) {
    const isDone = await reporter.report(signal)
    ports.onReported?.()
    await ports.clock.sleep(isDone ? LEASE_EVERY : RETRY, signal).catch(() => undefined)
  }
}

class NodeReporter {
  readonly #description: NodeDescription
  readonly #ports: NodeReporterPorts
  /** Of the Ready condition; undefined until the node is registered on this link. */
  #readySince: string | undefined
  #uid: string | undefined
  #reported = { facts: '', at: Number.NEGATIVE_INFINITY }
  #lease: JsonObject | undefined

  constructor(description: NodeDescription, ports: NodeReporterPorts) {
    this.#description = description
    this.#ports = ports
  }

  /** False where something failed and should be tried again soon. */
  async report(signal: AbortSignal): Promise<boolean> {
    const facts = (this.#ports.facts ?? machineFacts)()
    try {
      this.#readySince ??= await this.#register(facts)
      if (this.#isStatusDue(facts)) await this.#reportStatus(facts, this.#readySince)
      await this.#renewLease()
      return true
    } catch (error) {
      if (!signal.aborted) {
        this.#ports.log.warn('The node could not be reported; trying again', { error: describeError(error) })
      }
      this.#readySince = undefined
      this.#lease = undefined
      return false
    }
  }

  /** Answers since when the node counts as Ready in the API. */
  async #register(facts: MachineFacts): Promise<string> {
    const { nodeName } = this.#description
    const now = this.#seconds()
    const node = nodeObject(this.#description, facts, [readyCondition(now, now)])
    const made = await this.#askObject(OPERATIONS.insert, `null/node/${nodeName}`, node)
    this.#reported.at = Number.NEGATIVE_INFINITY
    if (made.Err === undefined) return now
    if (made.Err !== 'AlreadyExists') throw new Error(`the node was not taken: ${made.Err}`)
    // Labels may be those of another version, or of whoever made the Node before this edge joined.
    const labels = nodeLabels(nodeName, facts)
    await this.#ask(OPERATIONS.update, `null/node/${nodeName}`, { ...node, metadata: { name: nodeName, labels } })
    const present = await this.#patch(machineStatus(this.#description, facts))
    return readySince(present) ?? now
  }

  #isStatusDue(facts: MachineFacts): boolean {
    const { at, facts: reported } = this.#reported
    return this.#ports.clock.monotonic() - at >= STATUS_EVERY.milliseconds || JSON.stringify(facts) !== reported
  }

  async #reportStatus(facts: MachineFacts, since: string): Promise<void> {
    const conditions = [readyCondition(this.#seconds(), since)]
    const node = await this.#patch({ ...machineStatus(this.#description, facts), conditions })
    this.#uid = textIn(objectIn(node, 'metadata'), 'uid')
    this.#reported = { facts: JSON.stringify(facts), at: this.#ports.clock.monotonic() }
  }

  /** The patch travels as a text, as a kubelet makes it. Gives the Node. */
  async #patch(status: JsonObject): Promise<JsonObject> {
    const resource = `null/nodepatch/${this.#description.nodeName}`
    const { Object: node, Err: err } = await this.#askObject(OPERATIONS.patch, resource, JSON.stringify({ status }))
    if (err !== undefined) throw new Error(`the status of the node was not taken: ${err}`)
    return node ?? {}
  }

  async #renewLease(): Promise<void> {
    const resource = `kube-node-lease/lease/${this.#description.nodeName}`
    if (!this.#lease) {
      const { Object: lease, Err: err } = await this.#askObject(OPERATIONS.query, resource, null)
      if (err !== undefined && err !== 'NotFound') throw new Error(`the lease could not be read: ${err}`)
      if (err === undefined) this.#lease = lease
    }
    const operation = this.#lease ? OPERATIONS.update : OPERATIONS.insert
    const { Object: lease, Err: err } = await this.#askObject(operation, resource, this.#renewed())
    if (err !== undefined) throw new Error(`the lease was not taken: ${err}`)
    this.#lease = lease
  }

  #renewed(): JsonObject {
    const { nodeName } = this.#description
    // MicroTime has six digits.
    const renewTime = `${new Date(this.#ports.clock.now()).toISOString().slice(0, -1)}000Z`
    const owner = { apiVersion: 'v1', kind: 'Node', name: nodeName, uid: this.#uid ?? '' }
    const metadata = {
      ...objectIn(this.#lease, 'metadata'),
      name: nodeName,
      namespace: 'kube-node-lease',
      ...(this.#uid ? { ownerReferences: [owner] } : {}),
    }
    const spec = { holderIdentity: nodeName, leaseDurationSeconds: LEASE_SECONDS, renewTime }
    return { ...this.#lease, apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec }
  }

  #seconds(): string {
    return new Date(this.#ports.clock.now()).toISOString().replace(/\.\d+Z$/, 'Z')
  }

  async #ask(operation: string, resource: string, content: Json): Promise<Json> {
    const route: FrameRoute = { source: MODULES.edged, group: GROUPS.meta, operation, resource }
    return this.#ports.ask(this.#ports.frames.make(route, content))
  }

  /** Answers of the form {Object, Err}; Err as its reason. */
  async #askObject(operation: string, resource: string, content: Json): Promise<{ Object?: JsonObject; Err?: string }> {
    const answer = await this.#ask(operation, resource, content)
    if (!isObject(answer)) throw new Error('the answer has an unknown form')
    const { Object: object, Err: err } = answer
    if (err === null || err === undefined) return isObject(object) ? { Object: object } : {}
    return { Err: textIn(objectIn(isObject(err) ? err : undefined, 'ErrStatus'), 'reason') ?? 'Unknown' }
  }
}

/** When the Node turned Ready; undefined where it is not, so that this is a transition now. */
function readySince(node: JsonObject): string | undefined {
  const conditions = objectIn(node, 'status')['conditions']
  if (!Array.isArray(conditions)) return undefined
  const ready: Json | undefined = conditions.find((each) => isObject(each) && each['type'] === 'Ready')
  return isObject(ready) && ready['status'] === 'True' ? textIn(ready, 'lastTransitionTime') : undefined
}

function objectIn(object: JsonObject | undefined, key: string): JsonObject {
  const value = object?.[key]
  return isObject(value) ? value : {}
}

function textIn(object: JsonObject, key: string): string | undefined {
  const value = object[key]
  return typeof value === 'string' && value !== '' ? value : undefined
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
