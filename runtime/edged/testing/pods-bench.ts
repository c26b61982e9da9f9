import { createLocalBus } from '../../../platform/bus/index.ts'
import { createScope } from '../../../platform/lifecycle/index.ts'
import { memoryLogger } from '../../../platform/log/testing/index.ts'
import { type Duration, minutes, ms, seconds } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { assignedPods, type JsonObject, listed, podReports } from '../../../schemas/index.ts'
import { createHooks } from '../hooks/create-hooks.ts'
import { createImages } from '../images/create-images.ts'
import { busApi } from '../lifecycle/bus-api.ts'
import type { Crew } from '../lifecycle/crew.ts'
import { DesiredPods } from '../lifecycle/desired-pods.ts'
import type { PodRecord } from '../lifecycle/pod-record.ts'
import { Pods } from '../lifecycle/pods.ts'
import { Stopper } from '../lifecycle/stopper.ts'
import { Places } from '../places.ts'
import { listIn, objectIn, textIn } from '../pod/json.ts'
import { createProber } from '../probes/create-prober.ts'
import { RuntimeView } from '../state/runtime-view.ts'
import { MemoryCri } from './memory-cri.ts'
import { FACTS } from './pods.ts'

const NOWHERE = '/nonexistent/skerry-edged'
const STEP_MS = 250

/** Pods with their workers on virtual time, over a runtime in memory; what is on disk is in `records`. */
export class PodsBench {
  readonly clock = new FakeClock()
  readonly cri = new MemoryCri(this.clock)
  readonly log = memoryLogger()
  readonly bus = createLocalBus(this.clock, this.log)
  readonly records = new Map<string, PodRecord>()
  /** Events as they were told, `<reason>: <message>`. */
  readonly events: string[] = []
  /** Every report of a pod. */
  readonly reports: JsonObject[] = []
  readonly crew: Crew
  readonly pods: Pods
  /** Why records cannot be written now. */
  diskProblem: Error | undefined
  readonly #scope = createScope('Edged', {
    ...{ clock: this.clock, log: this.log, deadline: seconds(5) },
    onCrash: (error) => this.log.error('Crashed', { error }),
  })

  constructor() {
    const { clock, bus, log, cri } = this
    const random = { next: () => 0.5, bytes: (count: number) => new Uint8Array(count), uuid: () => '' }
    const { runtime } = cri.channel
    const onChange = (uid: string) => this.pods.enqueue(uid)
    const events: Crew['events'] = {
      tell: (_pod, { reason, message }) => void this.events.push(`${reason}: ${message}`),
    }
    const objects = { configMap: async () => undefined, secret: async () => undefined }
    const shared = { bus, clock, random, log, runtime, events, onChange, objects }
    const hooks = createHooks(shared)
    const onRuntime = () => this.pods.enqueueAll()
    const view = new RuntimeView({ ...shared, owner: 'edge-1', onRuntime })
    this.crew = {
      ...{ ...shared, view, hooks, owner: 'edge-1', nodeName: 'edge-1', clusterDomain: 'cluster.local' },
      desired: new DesiredPods({ bus, onChange, onComplete: () => this.pods.enqueueAll() }),
      places: new Places(NOWHERE, `${NOWHERE}/logs`),
      prober: this.#scope.use(createProber(shared)),
      images: createImages(shared),
      records: {
        all: async () => [...this.records.values()],
        write: async (record) => {
          if (this.diskProblem) throw this.diskProblem
          this.records.set(record.uid, record)
        },
        remove: async (uid) => void this.records.delete(uid),
      },
      volumes: {
        ...{ prepare: nothing, refresh: nothing, remove: nothing },
        ...{ mountsOf: async () => [], usageOf: async () => [], present: async () => [] },
      },
      containerFiles: { mountsOf: async () => [], lastWords: async () => '' },
      stopper: new Stopper({ ...shared, hooks, view }),
      access: {
        grant: async () => ({ environment: new Map(), mounts: [] }),
        ...{ revoke: nothing, present: async () => [] },
      },
      apiOf: busApi(shared),
      ...{ shared: [], allowedSysctls: [] },
      node: () => FACTS,
      dnsOf: async () => ({ config: { servers: [], searches: [], options: [] }, warnings: [] }),
      admit: () => undefined,
    }
    this.pods = new Pods(this.crew)
    bus.watch(podReports, ({ value }) => (value ? this.reports.push(value.status) : undefined))
  }

  /** As a node starts that the cloud has told of its pods. */
  async start(): Promise<void> {
    this.bus.set(listed, 'pods', true)
    await this.pods.start(this.#scope)
    this.#scope.run((signal) => this.crew.view.run(signal))
    await this.pass(ms(0))
  }

  async stop(): Promise<void> {
    const closed = this.#scope.close(seconds(5))
    await this.pass(seconds(5))
    await closed
  }

  /** `shop/till` with a container `app`, and what a test says of it. */
  assign(spec: JsonObject = {}, metadata: JsonObject = {}): void {
    const pod = {
      metadata: { name: 'till', namespace: 'shop', uid: 'u-1', ...metadata },
      spec: { containers: [{ name: 'app', image: 'till:1' }], ...spec },
    }
    const { namespace, name, uid } = pod.metadata
    this.bus.set(assignedPods, `${namespace}/${name}`, { uid, pod })
  }

  /** As the cloud deletes it. */
  delete(spec: JsonObject = {}, graceSeconds = 30, metadata: JsonObject = {}): void {
    const deletion = { deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: graceSeconds }
    this.assign(spec, { ...metadata, ...deletion })
  }

  /** As the cloud does once it is finished. */
  unassign(key = 'shop/till'): void {
    this.bus.remove(assignedPods, key)
  }

  /** Virtual time, with all that is under way meanwhile. */
  async pass(duration: Duration, step = ms(STEP_MS)): Promise<void> {
    const end = this.clock.monotonic() + duration.milliseconds
    await settled()
    while (this.clock.monotonic() < end) {
      await this.clock.advance(ms(Math.min(step.milliseconds, end - this.clock.monotonic())))
      await settled()
    }
  }

  /** Seconds until it holds. */
  async secondsUntil(holds: () => boolean, most = minutes(15), step = ms(STEP_MS)): Promise<number> {
    const begun = this.clock.monotonic()
    await settled()
    while (!holds()) {
      if (this.clock.monotonic() - begun > most.milliseconds) throw new Error(`never: ${holds}, ${this.said}`)
      await this.pass(step, step)
    }
    return (this.clock.monotonic() - begun) / 1000
  }

  get status(): JsonObject {
    return this.bus.get(podReports, 'shop/till')?.status ?? {}
  }

  get isFinished(): boolean {
    return this.bus.get(podReports, 'shop/till')?.isFinished === true
  }

  /** The phase, and how each container is: `Pending app=CreateContainerError`. */
  get said(): string {
    const all = ['initContainerStatuses', 'containerStatuses'].flatMap((list) => listIn(this.status, list))
    const states = all.map((each) => {
      const state = objectIn(each, 'state')
      const why = textIn(objectIn(state, 'waiting'), 'reason') ?? textIn(objectIn(state, 'terminated'), 'reason')
      return `${textIn(each, 'name')}=${why ?? 'Running'}`
    })
    return [textIn(this.status, 'phase') ?? 'nothing', ...states].join(' ')
  }

  count(event: string): number {
    return this.events.filter((each) => each.startsWith(event)).length
  }

  calls(method: string): number {
    return this.cri.channel.countOf(method)
  }
}

async function nothing(): Promise<void> {}

/** Promises, the event loop, and what of this process is on its way to a disk. */
async function settled(): Promise<void> {
  do {
    for (let turn = 0; turn < 6; turn++) await new Promise((resolve) => setImmediate(resolve))
  } while (process.getActiveResourcesInfo().some((each) => each.startsWith('FSReq')))
}
