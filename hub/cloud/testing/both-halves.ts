import { createScope } from '../../../platform/lifecycle/index.ts'
import { silentLogger } from '../../../platform/log/index.ts'
import { ms, seconds } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import {
  assignedDevices,
  type Device,
  EPOCH_HEADER,
  type Frame,
  GROUPS,
  SERVICES_HEADER,
  type Twin,
} from '../../../schemas/index.ts'
import { type BenchOptions, type EdgeBench, setTwin, startEdge, twinOf } from '../../edge/testing/edge-bench.ts'
import type { Link } from '../../link/index.ts'
import { serveLink } from '../cloudhub/serve-link.ts'
import { runEdgeController } from './edge-controller-bench.ts'
import { FakeKubernetes } from './fake-kubernetes.ts'
import { type CloudHarness, countingRandom, startCloud } from './harness.ts'

const OBJECT_OPERATIONS: ReadonlySet<string> = new Set(['insert', 'update', 'delete'])

/** A real edge and a real cloud, joined by a link in memory, over one fake Kubernetes and on virtual time. */
export class BothHalves {
  readonly clock = new FakeClock()
  readonly kubernetes = new FakeKubernetes()
  /** What came up over all links, without keepalives and what the node says of itself. */
  readonly up: Frame[] = []
  /** Objects that went down over all links, as `insert shop/pod/till`. */
  readonly down: string[] = []
  #cloud: CloudHarness | undefined
  #edge: EdgeBench | undefined
  #stopController: () => Promise<void> = async () => undefined
  #sessions = 0

  get cloud(): CloudHarness {
    if (!this.#cloud) throw new Error('the cloud is down')
    return this.#cloud
  }

  get edge(): EdgeBench {
    if (!this.#edge) throw new Error('the edge is down')
    return this.#edge
  }

  async startCloud(): Promise<void> {
    const { kubernetes, clock } = this
    this.#cloud = await startCloud(kubernetes, clock)
    const ground = { clock, log: silentLogger }
    const onCrash = (error: unknown): never => {
      throw error
    }
    const scope = createScope('edge-controller', { ...ground, deadline: seconds(5), onCrash })
    const ports = { ...ground, kubernetes, random: countingRandom(), hub: this.#cloud.hub }
    await runEdgeController(ports, scope)
    this.#stopController = () => scope.close(seconds(5))
    if (this.#edge) this.#edge.dialer.isReachable = true
  }

  /** As a crash for what it has not written: nothing is flushed. */
  async stopCloud(): Promise<void> {
    const { cloud } = this
    this.#cloud = undefined
    if (this.#edge) {
      this.#edge.dialer.isReachable = false
      this.#edge.dialer.pair?.cut('the cloud is gone')
    }
    await this.#stopController()
    await cloud.stop()
  }

  async startEdge(options: BenchOptions = {}): Promise<void> {
    const accept: BenchOptions['accept'] = (pair) => {
      const epoch = this.#edge?.dialer.attempts.at(-1)?.[EPOCH_HEADER] ?? this.#epoch
      const keepsServices = this.#edge?.dialer.attempts.at(-1)?.[SERVICES_HEADER] !== undefined
      const peer = { node: 'edge-1', skerry: true, epoch, keepsServices, session: `session-${++this.#sessions}` }
      const link = { ...pair.cloud, frames: this.#heard(pair.cloud.frames), send: this.#said(pair.cloud) }
      void serveLink(this.cloud.hub, link, peer)
    }
    this.#edge = await startEdge({ ...options, clock: this.clock, accept, isReachable: false })
    this.#epoch = this.#edge.dialer.attempts.at(-1)?.[EPOCH_HEADER] ?? ''
    this.#edge.dialer.isReachable = this.#cloud !== undefined
  }
  #epoch = ''

  #said(link: Pick<Link, 'send'>): Link['send'] {
    return (frame) => {
      const { group, operation = '', resource } = frame.route
      if (group === GROUPS.resource && OBJECT_OPERATIONS.has(operation)) this.down.push(`${operation} ${resource}`)
      return link.send(frame)
    }
  }

  async *#heard(frames: AsyncIterable<Frame>): AsyncGenerator<Frame> {
    for await (const frame of frames) {
      if (frame.route.source === 'twin') this.up.push(frame)
      yield frame
    }
  }

  /** Reports on devices among what came up, as `pump-1/state/update`. */
  reports(): readonly string[] {
    return this.up
      .map(({ route }) => route.resource ?? '')
      .filter((resource) => resource.endsWith('update') || resource.endsWith('updated'))
  }

  /** The device has this twin now. */
  async tell(name: string, revision: number, over: Partial<Twin> = {}): Promise<void> {
    const assigned = this.edge.bus.get(assignedDevices, `default/${name}`)
    const { uid = '', generation = 1 } = assigned?.device.metadata ?? {}
    setTwin(this.edge.bus, { ...twinOf(name, revision, { uid, generation }), ...over })
  }

  async device(name: string): Promise<Device | undefined> {
    return this.cloud.device(name)
  }

  async pass(milliseconds: number): Promise<void> {
    await this.clock.advance(ms(milliseconds))
  }

  async stop(): Promise<void> {
    await this.#edge?.stop()
    this.#edge = undefined
    if (this.#cloud) await this.stopCloud()
  }
}
