import { describeError } from '../../../platform/lifecycle/index.ts'
import type { StoreCall } from '../../../platform/store/index.ts'
import type { Json } from '../../../schemas/index.ts'
import { twinStoreDomain } from '../../../twin/index.ts'
import { FakeKubernetes, type FakeSnapshot } from '../../cloud/testing/fake-kubernetes.ts'
import { metaStoreDomain } from '../../edge/meta/meta-store.ts'
import type { OutboxLimits } from '../../edge/outbox/outbox.ts'
import { userStoreDomain } from '../../edge/user/user-store.ts'
import { type ApiConditions, createApiClient, GOOD_API } from './ground/api-client.ts'
import { Disk } from './ground/disk.ts'
import { type Caller, Network } from './ground/network.ts'
import { ProcessClock } from './ground/process-clock.ts'
import { Scheduler } from './ground/scheduler.ts'
import { SeededRandom } from './ground/seeded-random.ts'
import { Trace } from './ground/trace.ts'
import type { Mutant } from './mutants.ts'
import { Cloud } from './parts/cloud.ts'
import type { CloudRun } from './parts/cloud-run.ts'
import type { Counting } from './parts/counting.ts'
import { Edge } from './parts/edge.ts'
import { Machine } from './parts/machine.ts'
import { Replica } from './parts/replica.ts'
import { witnessLog } from './parts/witness-log.ts'
import { DurableWishes } from './promises/durable.ts'
import { at, type MakeWitness, type Scene, type Witness } from './promises/promise.ts'
import { UserMessageOrder } from './promises/user-messages.ts'
import { WITNESSES } from './promises/witnesses.ts'

export interface WorldOptions {
  readonly seed: string
  readonly keepsTrace?: boolean
  /** A fault that is planted in the product, to see that it is found. */
  readonly mutant?: Mutant
}

export interface Violation {
  readonly promise: string
  readonly detail: string
  /** Virtual ms. */
  readonly at: number
}

export const CALM = 'nothing crashes'
const DOMAINS = [metaStoreDomain, userStoreDomain, twinStoreDomain]

/** Edges, hub and API with everything between them, under one time and one seed, and the witnesses of what is promised. */
export class World implements Scene {
  readonly scheduler = new Scheduler()
  readonly random: SeededRandom
  readonly trace: Trace
  readonly cluster = new FakeKubernetes()
  readonly api: { -readonly [Key in keyof ApiConditions]: ApiConditions[Key] } = { ...GOOD_API }
  readonly network: Network
  readonly machines: readonly Machine[]
  readonly replicas: readonly Replica[]
  readonly limits: OutboxLimits
  readonly durable: DurableWishes
  readonly messages: UserMessageOrder
  readonly violations: Violation[] = []
  /** Kind in the plural of each object that was deleted from the API, by its uid. */
  readonly deleted = new Map<string, string>()
  /** `<device id>/<property>/<value>` of what clients of edges have wished for. */
  readonly wishes = new Set<string>()
  /** By whom and when the records of what nodes have were written last. */
  readonly recordWrites = new Map<string, { readonly run: number; readonly at: number }>()
  troubledAt = Number.NEGATIVE_INFINITY
  /** Backups of the API that were put back. */
  apiSetbacks = 0
  apiBackup: FakeSnapshot | undefined
  /** The handler of user messages does not take any. */
  isHandlerFailing = false
  /** Faults end when it turns false. */
  isFaulty = true
  /** Calls under way that began while the API was slow. */
  #slowCalls = 0
  readonly #witnesses: readonly Witness[]
  readonly #mutant: Mutant
  #cloudRuns = 0
  readonly #countings = new Map<Machine, Counting[]>()

  constructor({ seed, keepsTrace = false, mutant = {} }: WorldOptions) {
    this.#mutant = mutant
    this.random = new SeededRandom(seed)
    this.trace = new Trace(this.scheduler, keepsTrace)
    this.limits = { maxMessages: this.random.pick([15, 1000]), maxBytes: 100_000, maxAgeHours: 24 }
    this.network = new Network(this.scheduler, this.random.fork('network'), (node, way, frame, moment) => {
      const { operation, resource = '' } = frame.route
      if (!moment.isArrival) this.trace.note(node, `${way === 'up' ? '↑' : '↓'} ${operation} ${resource}`)
      for (const witness of this.#witnesses) witness.onFrame?.(node, way, frame, moment)
    })
    this.replicas = ['cloud', ...(this.random.chance(0.25) ? ['cloud-2'] : [])].map((name) => new Replica(name))
    const names = ['edge-1', 'edge-2', ...(this.random.chance(0.4) ? ['edge-3'] : [])]
    this.machines = names.map((node) => this.#machine(node))
    this.durable = new DurableWishes(this)
    this.messages = new UserMessageOrder(this)
    const made = WITNESSES.map((make: MakeWitness) => make(this))
    this.#witnesses = [this.durable, this.messages, ...made]
  }

  [Symbol.dispose](): void {
    for (const machine of this.machines) {
      machine.edge?.kill()
      machine.disk[Symbol.dispose]()
    }
    for (const replica of this.replicas) replica.kill()
    this.cluster.dropWatches()
  }

  /** All that is watched over, by name. */
  get promises(): readonly string[] {
    return [...this.#witnesses.map(({ name }) => name), CALM]
  }

  get now(): number {
    return this.scheduler.now
  }

  machine(node: string): Machine | undefined {
    return this.machines.find((each) => each.node === node)
  }

  say(what: string): void {
    this.trace.note('world', what)
  }

  violate(promise: string, detail: string): void {
    this.trace.note('BROKEN', `${promise}: ${detail}`)
    this.violations.push({ promise, detail, at: this.now })
  }

  /** Later, unless faults are over by then. */
  later(milliseconds: number, end: () => void): void {
    this.scheduler.after(milliseconds, () => {
      if (this.isFaulty) end()
    })
  }

  sample(): void {
    for (const { name, sample } of this.#witnesses) {
      const broken = sample?.()
      if (broken !== undefined) this.violate(name, broken)
    }
  }

  /** What is not as promised yet, now that everything works. */
  async unrest(): Promise<{ readonly promise: string; readonly detail: string } | undefined> {
    this.cluster.collectGarbage()
    if (this.#slowCalls > 0)
      return { promise: 'an end of all calls', detail: 'some of the slow API are still under way' }
    for (const witness of this.#witnesses) {
      const detail = await witness.atRest?.()
      if (detail !== undefined) return { promise: witness.name, detail }
    }
    return undefined
  }

  startEdge(machine: Machine): void {
    if (machine.edge && !machine.edge.clock.isDead) return
    const { node, disk } = machine
    const who = `${node}`
    machine.runs++
    const clock = new ProcessClock(this.scheduler, machine.wall)
    const store = disk.open()
    const edge: Edge = new Edge({
      ...{ node, clock, limits: this.#mutant.limits?.(this.limits) ?? this.limits },
      store: this.#mutant.store?.(store) ?? store,
      incarnation: disk.incarnation,
      dialer: this.network.dialer(node, clock, () => !clock.isDead),
      random: this.random.fork(`${node}/${machine.runs}`),
      log: witnessLog(
        who,
        this.trace,
        () => !clock.isDead,
        (text) => this.violate(CALM, `${who}: ${text}`),
      ),
      thing: (id) => machine.thing(id),
      onWritten: (id, property, value) => this.trace.note(node, `writes ${property}=${value} to ${id}`),
      onCrash: (module, error) => {
        if (!clock.isDead) this.violate(CALM, `${node}: ${module} crashed: ${describeError(error)}`)
      },
      ...(this.#mutant.meta ? { around: this.#mutant.meta } : {}),
    })
    machine.edge = edge
    this.#countings.set(machine, [...(this.#countings.get(machine) ?? []), edge.counting])
    this.trace.note(node, `starts (run ${machine.runs})`)
    edge.start().catch((error: unknown) => {
      if (clock.isDead) return
      // As a process whose start fails: it ends, and whoever looks after it starts it again.
      this.trace.note(node, `does not start: ${describeError(error)}`)
      this.killEdge(machine, true)
      this.scheduler.after(3000, () => this.startEdge(machine))
    })
  }

  async stopEdge(machine: Machine): Promise<void> {
    const { edge, node } = machine
    if (!edge || edge.clock.isDead) return
    this.trace.note(node, 'stops')
    await edge.stop()
    this.network.ended('edge', node)
  }

  /** `isHeard`: its machine lives on, and tells the peers. */
  killEdge(machine: Machine, isHeard: boolean): void {
    const { edge, node, disk } = machine
    if (!edge || edge.clock.isDead) return
    this.trace.note(node, isHeard ? 'is killed' : 'loses power')
    edge.kill()
    disk.crash()
    if (isHeard) this.network.ended('edge', node)
    else for (const connection of this.network.connectionsOf(node)) connection.blackhole()
  }

  /** Another content of the disk; undefined: none. The edge is not running. */
  setBack(machine: Machine, snapshot: Machine['backup']): void {
    this.trace.note(machine.node, snapshot ? 'gets its backup back' : 'gets an empty disk')
    machine.setbacks++
    machine.disk.restore(snapshot)
    for (const witness of this.#witnesses) witness.onSetback?.(machine)
  }

  /** The backup of the API, with the records of what nodes have, as of then. The cloud half is not running. */
  setApiBack(): void {
    if (!this.apiBackup) return
    this.trace.note('api', 'gets its backup back')
    this.apiSetbacks++
    this.cluster.restore(this.apiBackup)
    for (const object of this.apiBackup.objects.values()) this.deleted.delete(String(at(object, 'metadata', 'uid')))
  }

  startCloud(replica: Replica): void {
    if (replica.isRunning) return
    const { name, wall } = replica
    const number = ++this.#cloudRuns
    const run: CloudRun = { number, startedAt: this.now, knownDeleted: new Set() }
    const clock = new ProcessClock(this.scheduler, wall)
    replica.killer = new AbortController()
    const random = this.random.fork(`cloud/${number}`)
    const client = createApiClient(
      {
        ...{ cluster: this.cluster, scheduler: this.scheduler, random: random.fork('api') },
        conditions: () => replica.trouble ?? this.api,
        onTrouble: () => {
          this.troubledAt = this.now
        },
        onSlow: (change) => {
          this.#slowCalls += change
        },
        onDeleted: (uid) => {
          if (!clock.isDead) run.knownDeleted.add(uid)
        },
        onCall: (verb, { plural }, object) => {
          if (verb === 'LIST') {
            const gone = [...this.deleted].filter(([, kind]) => kind === plural)
            return () => {
              for (const [uid] of gone) run.knownDeleted.add(uid)
            }
          }
          if (verb === 'GET' || verb === 'WATCH') return undefined
          this.trace.note('api', `${verb} ${plural} ${object}${this.replicas.length > 1 ? ` by ${name}` : ''}`)
          if (plural === 'objectsyncs') this.recordWrites.set(object, { run: number, at: this.now })
          return undefined
        },
      },
      replica.killer.signal,
    )
    const cloud = new Cloud({
      ...{ clock, random },
      kubernetes: this.#mutant.kubernetes?.(client) ?? client,
      log: witnessLog(
        name,
        this.trace,
        () => !clock.isDead,
        (text) => this.violate(CALM, `${name}: ${text}`),
      ),
      onUserMessage: async ({ peer, payload }) => {
        const isRefused = this.isHandlerFailing && random.chance(0.5)
        const isSlow = random.chance(0.2)
        if (!isRefused) this.messages.taken(peer.node, Buffer.from(payload).toString(), number)
        if (isSlow) await clock.sleep({ milliseconds: random.next() * 200 })
        if (isRefused) throw new Error('the handler does not want it now')
        return 'done'
      },
      onCrash: (module, error) => {
        if (!clock.isDead) this.violate(CALM, `${name}: ${module} crashed: ${describeError(error)}`)
      },
    })
    replica.cloud = cloud
    const answer = (caller: Caller) => cloud.accept(this.#mutant.caller?.(caller) ?? caller)
    this.network.listen({ replica: name, run, answer })
    this.trace.note(name, `starts (run ${number})`)
    cloud.start().catch((error: unknown) => {
      if (!clock.isDead && !cloud.isStopping) this.violate(CALM, `${name}: it does not start: ${describeError(error)}`)
    })
  }

  async stopCloud(replica: Replica): Promise<void> {
    const { cloud, killer, name } = replica
    if (!cloud || !replica.isRunning) return
    this.trace.note(name, 'stops')
    this.network.unlisten(name)
    await cloud.stop()
    if (replica.cloud !== cloud) return
    this.network.ended('cloud', name)
    killer.abort()
  }

  killCloud(replica: Replica): void {
    if (!replica.isRunning) return
    this.trace.note(replica.name, 'is killed')
    this.network.unlisten(replica.name)
    replica.kill()
    this.network.ended('cloud', replica.name)
  }

  droppedMessages(machine: Machine): number {
    const reasons = ['count', 'bytes', 'age', 'size', 'refused']
    return (this.#countings.get(machine) ?? []).reduce(
      (sum, counting) =>
        sum + reasons.reduce((all, reason) => all + counting.count('skerry_edgehub_user_dropped_total', { reason }), 0),
      0,
    )
  }

  #machine(node: string): Machine {
    const machine: Machine = new Machine(
      node,
      new Disk({
        ...{ domains: DOMAINS, scheduler: this.scheduler, random: this.random.fork(`disk/${node}`) },
        onCommitted: (calls) => this.#committed(machine, calls),
      }),
    )
    return machine
  }

  #committed(machine: Machine, calls: readonly StoreCall[]): void {
    for (const { statement, parameters } of calls) this.trace.note(machine.node, `disk ${statement} ${parameters[0]}`)
    for (const witness of this.#witnesses) witness.onCommitted?.(machine, calls)
  }
}

/** A value as a person would write it in a manifest. */
export type Manifest = Readonly<Record<string, Json>>
