import { mkdir } from 'node:fs/promises'
import { type Bus, createLocalBus } from '../../../platform/bus/index.ts'
import { createMetrics, type Metrics } from '../../../platform/health/index.ts'
import { type RunningModules, runModules, UnavailableError } from '../../../platform/lifecycle/index.ts'
import { type Logger, silentLogger } from '../../../platform/log/index.ts'
import { seconds, systemClock, systemRandom } from '../../../platform/time/index.ts'
import {
  assignedPods,
  type Json,
  type JsonObject,
  listed,
  type ObjectWrite,
  type PodReport,
  podReports,
  requestObject,
  requestToken,
  writeObject,
} from '../../../schemas/index.ts'
import { createEdgedModule } from '../edged.ts'
import type { EdgedOptions } from '../options.ts'
import type { PodAccess } from '../twins/pod-access.ts'

export interface EdgedBenchOptions {
  /** CRI socket. */
  readonly runtime: string
  /** Kept over restarts of the bench. */
  readonly directory: string
  readonly log?: Logger
  readonly access?: PodAccess
  readonly staticPods?: string
}

const NO_ACCESS: PodAccess = {
  grant: async () => ({ environment: new Map(), mounts: [] }),
  revoke: async () => undefined,
  present: async () => [],
}
const MACHINE = {
  hostIps: ['192.0.2.1'],
  allocatable: { milliCpu: 2000, memoryBytes: 4 * 1024 ** 3, diskBytes: 100 * 1024 ** 3 },
}

/** Edged on a bus of its own, with a test in the part of the cloud. */
export class EdgedBench implements AsyncDisposable {
  readonly bus: Bus
  readonly metrics: Metrics = createMetrics()
  /** `shop/configmap/settings`, with what the cloud has. */
  readonly objects = new Map<string, JsonObject>()
  readonly events: string[] = []
  /** Then it answers nothing: objects that this node has not are not to be had, and Events go nowhere. */
  isCloudAway = false
  readonly #options: EdgedBenchOptions
  readonly #log: Logger
  #running: RunningModules | undefined

  constructor(options: EdgedBenchOptions) {
    this.#options = options
    this.#log = options.log ?? silentLogger
    this.bus = createLocalBus(systemClock, this.#log)
    this.bus.set(listed, 'pods', true)
    this.bus.serve(requestObject, async ({ resource }) => {
      const object = this.objects.get(resource)
      if (!object && this.isCloudAway) throw away()
      return object ? { object, from: 'node' } : { from: 'node' }
    })
    this.bus.serve(requestToken, async ({ serviceAccount, audiences }) => ({
      token: `token of ${serviceAccount} for ${audiences.join()}`,
      expiresAt: systemClock.now() + 3_600_000,
    }))
    this.bus.serve(writeObject, async (write) => this.#write(write))
  }

  async start(): Promise<void> {
    const { directory, runtime, access = NO_ACCESS } = this.#options
    await mkdir(directory, { recursive: true })
    const options: EdgedOptions = {
      ...{
        runtime,
        directory,
        logs: `${directory}/logs`,
        socketFolder: directory,
        maxPods: 110,
        parallelPulls: 1,
        allowedSysctls: [],
        shared: [],
      },
      reserved: { milliCpu: 0, memoryBytes: 0 },
      dns: { servers: [], domain: 'cluster.local' },
      ...(this.#options.staticPods === undefined ? {} : { staticPods: this.#options.staticPods }),
      upkeep: {
        images: { highPercent: 100, lowPercent: 100 },
        containerLogs: { maxBytes: 10 * 1024 ** 2, maxFiles: 5 },
        eviction: { memoryBytes: 0, diskPercent: 0, inodePercent: 0 },
      },
    }
    const ports = { bus: this.bus, nodeName: 'edge-1', access, machine: () => MACHINE }
    const ground = { clock: systemClock, random: systemRandom, log: this.#log }
    const module = createEdgedModule(options, { ...ports, ...ground, metrics: this.metrics })
    this.#running = await runModules([{ module }], { ...ground, grace: seconds(10) })
  }

  async stop(): Promise<void> {
    await this.#running?.stop()
    this.#running = undefined
  }

  /** As MetaManager does when the cloud has said it. */
  assign(pod: JsonObject): void {
    const { namespace, name, uid } = namesOf(pod)
    this.bus.set(assignedPods, `${namespace}/${name}`, { uid, pod })
  }

  unassign(key: string): void {
    this.bus.remove(assignedPods, key)
  }

  report(key: string): PodReport | undefined {
    return this.bus.get(podReports, key)
  }

  /** Settles with the first report of the pod that suits; rejects after `within` with the last one. */
  async reported(key: string, suits: (report: PodReport) => boolean, withinMs = 30_000): Promise<PodReport> {
    const { promise, resolve, reject } = Promise.withResolvers<PodReport>()
    using _timer = systemClock.after({ milliseconds: withinMs }, () =>
      reject(new Error(`${key} is ${JSON.stringify(this.report(key), null, 1)}\nEvents: ${this.events.join('\n')}`)),
    )
    using _watch = this.bus.watch(podReports, ({ key: of, value }) => {
      if (of === key && value && suits(value)) resolve(value)
    })
    return await promise
  }

  phase(key: string, phase: string, withinMs?: number): Promise<PodReport> {
    return this.reported(key, ({ status }) => status['phase'] === phase, withinMs)
  }

  /** Settles once nothing is reported of it any more. */
  async retracted(key: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    using _watch = this.bus.watch(podReports, ({ key: of, value }) => {
      if (of === key && !value) resolve()
    })
    if (!this.report(key)) return
    await promise
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  #write({ operation, content }: ObjectWrite): Json {
    if (this.isCloudAway) throw away()
    const text = (key: string) => String(Reflect.get(Object(content), key))
    if (operation === 'insert') this.events.push(`${text('reason')}: ${text('message')}`)
    return content
  }
}

function away(): UnavailableError {
  return new UnavailableError('The cloud is away', { code: 'HUB_OFFLINE' })
}

function namesOf(pod: JsonObject) {
  const metadata: unknown = pod['metadata']
  const text = (key: string) => String(Reflect.get(Object(metadata), key))
  return { namespace: text('namespace'), name: text('name'), uid: text('uid') }
}
