import { describeError } from '../../platform/lifecycle/index.ts'
import type { Logger } from '../../platform/log/index.ts'
import { type Clock, minutes, seconds } from '../../platform/time/index.ts'
import {
  type Frame,
  type FrameRoute,
  GROUPS,
  type Json,
  type JsonObject,
  MODULES,
  OPERATIONS,
} from '../../schemas/index.ts'
import type { FrameFactory } from '../link/index.ts'
import { type NodeDescription, nodeObject, nodeStatus } from './node-object.ts'

export interface NodeReporterPorts {
  readonly frames: FrameFactory
  readonly clock: Clock
  readonly log: Logger
  /** Sends a request and gives the content of its answer. */
  readonly ask: (frame: Frame) => Promise<Json>
}

const LEASE_SECONDS = 40
const LEASE_EVERY = seconds(10)
const STATUS_EVERY = minutes(5)
const RETRY = seconds(5)

/**
 * Registers the Node, reports its status at connect and every five minutes, and renews its Lease every ten seconds: the
 * timings of a kubelet. Runs while the link lasts.
 */
export async function runNodeReporter(
  description: NodeDescription,
  ports: NodeReporterPorts,
  signal: AbortSignal,
): Promise<void> {
  const { clock } = ports
  const reporter = new NodeReporter(description, ports)
  let statusDue = 0
  while (!signal.aborted) {
    const isDone = await reporter.renewLease(statusDue <= clock.monotonic())
    if (isDone && statusDue <= clock.monotonic()) statusDue = clock.monotonic() + STATUS_EVERY.milliseconds
    await clock.sleep(isDone ? LEASE_EVERY : RETRY, signal).catch(() => undefined)
  }
}

class NodeReporter {
  readonly #description: NodeDescription
  readonly #ports: NodeReporterPorts
  #isRegistered = false
  #lease: JsonObject | undefined

  constructor(description: NodeDescription, ports: NodeReporterPorts) {
    this.#description = description
    this.#ports = ports
  }

  /** False where something failed and should be tried again soon. */
  async renewLease(isStatusDue: boolean): Promise<boolean> {
    try {
      if (!this.#isRegistered) await this.#register()
      if (isStatusDue) await this.#reportStatus()
      await this.#renew()
      return true
    } catch (error) {
      this.#ports.log.debug('The node could not be reported', { error: describeError(error) })
      this.#isRegistered = false
      this.#lease = undefined
      return false
    }
  }

  async #register(): Promise<void> {
    const { Err: err } = await this.#askObject(
      OPERATIONS.insert,
      `null/node/${this.#description.nodeName}`,
      nodeObject(this.#description, this.#now()),
    )
    if (err !== undefined && err !== 'AlreadyExists') throw new Error(`the node was not taken: ${err}`)
    this.#isRegistered = true
  }

  async #reportStatus(): Promise<void> {
    const patch = JSON.stringify({ status: nodeStatus(this.#description, this.#now()) })
    const { Err: err } = await this.#askObject(OPERATIONS.patch, `null/nodepatch/${this.#description.nodeName}`, patch)
    if (err !== undefined) throw new Error(`the status of the node was not taken: ${err}`)
  }

  async #renew(): Promise<void> {
    const resource = `kube-node-lease/lease/${this.#description.nodeName}`
    if (!this.#lease) {
      const asked = await this.#askObject(OPERATIONS.query, resource, null)
      if (asked.Err !== undefined && asked.Err !== 'NotFound')
        throw new Error(`the lease could not be read: ${asked.Err}`)
      this.#lease = asked.Object
    }
    const operation = this.#lease ? OPERATIONS.update : OPERATIONS.insert
    const answer = await this.#askObject(operation, resource, this.#renewed())
    // A conflict means that somebody else wrote it: read it again next time.
    this.#lease = answer.Err === undefined ? answer.Object : undefined
    if (answer.Err !== undefined && answer.Err !== 'Conflict') throw new Error(`the lease was not taken: ${answer.Err}`)
  }

  #renewed(): JsonObject {
    const { nodeName } = this.#description
    const spec = {
      holderIdentity: nodeName,
      leaseDurationSeconds: LEASE_SECONDS,
      renewTime: `${this.#now().slice(0, -1)}000Z`,
    }
    const fresh = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: nodeName, namespace: 'kube-node-lease' },
    }
    return { ...fresh, ...this.#lease, spec }
  }

  #now(): string {
    return new Date(this.#ports.clock.now()).toISOString()
  }

  /** Answers of the form {Object, Err}; Err as its reason. */
  async #askObject(operation: string, resource: string, content: Json): Promise<{ Object?: JsonObject; Err?: string }> {
    const route: FrameRoute = { source: MODULES.edged, group: GROUPS.meta, operation, resource }
    const answer = await this.#ports.ask(this.#ports.frames.make(route, content))
    if (!isObject(answer)) throw new Error('the answer has an unknown form')
    const { Object: object, Err: err } = answer
    const status = isObject(err) ? err['ErrStatus'] : undefined
    return {
      ...(isObject(object) ? { Object: object } : {}),
      ...(err === null || err === undefined ? {} : { Err: isObject(status) ? String(status['reason']) : 'Unknown' }),
    }
  }
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
