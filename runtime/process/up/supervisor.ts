import { existsSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { placedConfig, serialPortsProblem, simulators } from '../../../mappers/simulators/index.ts'
import { readFileIfPresent, removeFile, writeFileAtomic } from '../../../platform/files/index.ts'
import { RefusedError } from '../../../platform/lifecycle/index.ts'
import { Backoff, type Clock, ms, type Random, seconds } from '../../../platform/time/index.ts'
import type { Endpoints, UpConfig } from '../../../schemas/config/index.ts'
import type { JsonObject } from '../../../schemas/index.ts'
import { type ConfigEdits, editConfig, listInConfig } from '../edit-config.ts'
import { ENDPOINTS_FILE, writeEndpoints } from '../endpoints.ts'
import { mapperEdits } from '../mapper-settings.ts'
import { joinOwnNode } from './join-own-node.ts'
import { isRecord, type KubeAccess, parseKubeAccess } from './kubernetes-apply.ts'
import { LogFile } from './log-file.ts'
import { Part } from './part.ts'
import type { UpPorts } from './ports.ts'
import type { Progress } from './progress.ts'
import { assertSameCloud } from './same-cloud.ts'
import { type SamplePart, sampleParts } from './sample-parts.ts'
import { type AppliedSample, applySamples, devicesHaveState, nodeIsThere, type Sample } from './samples.ts'

export interface SupervisorOptions {
  readonly directory: string
  readonly config: UpConfig
  /** Mappers for its edge, beside those of the configuration: absolute paths, or names of packages. */
  readonly mappers: readonly string[]
  readonly ports: UpPorts
  readonly launcher: string
  readonly samplesFolder: string
  readonly clock: Clock
  readonly random: Random
  readonly progress: Progress
}

/** Long enough for a machine that is busy with something else. */
const START_DEADLINE = seconds(60)
/** Ready is said anyway after so long. */
const STATE_DEADLINE = seconds(5)
/** In the order in which they are stopped. */
const CORE: ReadonlySet<string> = new Set(['edge', 'cloud'])

/** The parts of `skerry up`: cloud, edge and the simulated devices, each a child process with its own data under DIR. */
export class Supervisor implements AsyncDisposable {
  readonly #options: SupervisorOptions
  readonly #parts = new Map<string, Part>()
  readonly #logs: LogFile[] = []
  readonly #endpoints = new Map<string, Endpoints>()
  /** What the configData of a Device says to reach a simulator, by part. */
  readonly #addresses = new Map<string, JsonObject>()
  #samples: readonly AppliedSample[] = []

  constructor(options: SupervisorOptions) {
    this.#options = options
  }

  get parts(): readonly Part[] {
    return [...this.#parts.values()]
  }

  /** Everything that the parts have said about themselves so far, as one. */
  get endpoints(): Endpoints {
    let all: Endpoints = {}
    for (const each of this.#endpoints.values()) {
      const simulators = { ...all.simulators, ...each.simulators }
      all = { ...all, ...each, metrics: { ...all.metrics, ...each.metrics } }
      if (Object.keys(simulators).length > 0) all = { ...all, simulators }
    }
    const kubeconfig = all.kubeconfig === undefined ? {} : { kubeconfig: join(this.#options.directory, 'kubeconfig') }
    return { ...all, ...kubeconfig }
  }

  /** Devices that are simulated here. */
  get samples(): readonly AppliedSample[] {
    return this.#samples
  }

  /** Whether the part has a control socket, where it tells of its modules. */
  hasModules(name: string): boolean {
    return CORE.has(name)
  }

  async start(signal: AbortSignal): Promise<Endpoints> {
    const { directory, config, ports, progress, clock } = this.#options
    await mkdir(join(directory, 'logs'), { recursive: true, mode: 0o700 })
    await this.#configureCloud()
    const samples = config.samples
      ? sampleParts(simulators, { directory, ports, serialProblem: serialPortsProblem() })
      : { parts: [], left: [] }
    for (const line of samples.left) progress.line(line)
    // The one that needs the broker of the edge waits for it by itself.
    const simulated = samples.parts.map((part) => heardLater(this.#simulate(part, signal)))
    await progress.step(
      'cloud',
      () => this.#add('cloud', ['cloud', '--data', join(directory, 'cloud')]).start(START_DEADLINE, signal),
      () => `Kubernetes API ${this.endpoints.apiserver}, CloudHub ${this.endpoints.cloudhub}`,
    )
    await this.#publish()
    const applied = this.#applySamples(simulated, signal)
    if (this.#hasJoined()) {
      await assertSameCloud(directory)
    } else {
      await progress.step(
        'join',
        () => {
          const certificates = `127.0.0.1:${ports.certificates}`
          return joinOwnNode({ directory, node: config.node, certificates, clock, signal })
        },
        () => `${config.node} has its certificate`,
      )
    }
    await this.#configureEdge()
    await progress.step(
      'edge',
      () => this.#add('edge', ['edge', '--data', join(directory, 'edge')]).start(START_DEADLINE, signal),
      () => `${config.node}, MQTT ${this.endpoints.mqtt}`,
    )
    if (samples.parts.length > 0) {
      let allAnswer = false
      await progress.step(
        'samples',
        async () => {
          const { access, samples } = await applied
          this.#samples = samples
          allAnswer = await devicesHaveState(access, samples, { clock, deadline: STATE_DEADLINE, signal })
        },
        () => {
          const devices = this.#samples.map((sample) => sample.device).join(', ')
          return `devices ${devices}, all simulated${allAnswer ? '' : '; not all of them have been reached yet'}`
        },
      )
    }
    await this.#publish()
    return this.endpoints
  }

  part(name: string): Part {
    const found = this.#parts.get(name)
    if (found) return found
    throw new RefusedError(`there is no part named ${name}: the parts are ${[...this.#parts.keys()].join(', ')}`, {
      code: 'PROCESS_PART_UNKNOWN',
      fields: { part: name },
    })
  }

  async startPart(name: string): Promise<void> {
    await this.part(name).start(START_DEADLINE)
  }

  async stopPart(name: string): Promise<void> {
    await this.part(name).stop()
  }

  /** Edge first, so that it can say goodbye; all within their grace. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of CORE) await this.#parts.get(name)?.stop()
    await Promise.all(this.parts.map((part) => part.stop()))
    for (const log of this.#logs) log[Symbol.dispose]()
    await removeFile(join(this.#options.directory, ENDPOINTS_FILE))
  }

  #add(name: string, args: readonly string[]): Part {
    const { directory, launcher, clock, random, progress } = this.#options
    const logFile = new LogFile(join(directory, 'logs', `${name}.log`))
    this.#logs.push(logFile)
    const part = new Part({
      name,
      args,
      launcher,
      logFile,
      clock,
      backoff: new Backoff({ first: ms(250), most: seconds(10) }, random),
      grace: seconds(10),
      onReady: (endpoints, message) => {
        this.#endpoints.set(name, endpoints)
        this.#addresses.set(name, addressIn(message))
        this.#publish().catch((error: unknown) =>
          progress.line(`endpoints.json could not be written: ${String(error)}`),
        )
      },
      onNotice: (text) => progress.line(text),
    })
    this.#parts.set(name, part)
    return part
  }

  async #publish(): Promise<void> {
    const { directory } = this.#options
    const made = this.#endpoints.get('cloud')?.kubeconfig
    const kubeconfig = made === undefined ? undefined : await readFileIfPresent(made)
    if (kubeconfig !== undefined) await writeFileAtomic(join(directory, 'kubeconfig'), kubeconfig, 0o600)
    await writeEndpoints(directory, this.endpoints)
  }

  async #configureCloud(): Promise<void> {
    const { directory, config, ports } = this.#options
    await this.#write(join(directory, 'cloud'), {
      kubernetes: { port: ports.apiserver },
      cloudhub: { port: ports.cloudhub, certificatePort: ports.certificates },
      cloudstream: { tunnelPort: ports.tunnel, kubelets: { port: ports.stream } },
      router: { port: ports.router },
      metrics: { port: ports.metricsCloud },
      log: { level: config.log.level, format: 'json' },
    })
  }

  /** What `skerry join` wrote, with the ports of this run; `skerry up` admits anonymous local clients. */
  async #configureEdge(): Promise<void> {
    const { directory, config, ports, mappers } = this.#options
    const standing = await listInConfig(join(directory, 'edge', 'config.yaml'), 'mappers', 'use')
    await this.#write(join(directory, 'edge'), {
      ...mapperEdits(config.mappers, standing, mappers),
      ...(config.edged ? { edged: config.edged } : {}),
      node: { name: config.node },
      cloud: { server: `127.0.0.1:${ports.cloudhub}`, certificates: `127.0.0.1:${ports.certificates}` },
      mqtt: { port: ports.mqtt, anonymous: 'full', websocket: { port: ports.mqttWebsocket } },
      http: { port: ports.http },
      metaServer: { port: ports.metaserver },
      serviceBus: { listener: { port: ports.servicebus } },
      metrics: { port: ports.metricsEdge },
      log: { level: config.log.level, format: 'json' },
    })
  }

  /** Sets these keys in DIR/config.yaml and leaves what else stands there. */
  async #write(directory: string, settings: ConfigEdits) {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    await editConfig(join(directory, 'config.yaml'), settings)
  }

  /** Where a file of the identity was lost, joining again makes all of them. */
  #hasJoined(): boolean {
    const pki = join(this.#options.directory, 'edge', 'pki')
    return ['rootCA.crt', 'server.crt', 'server.key'].every((file) => existsSync(join(pki, file)))
  }

  /** Starts the simulator; settles with its sample when that can be reached. */
  async #simulate({ name, entry, args }: SamplePart, signal: AbortSignal): Promise<Sample> {
    const { samplesFolder, config } = this.#options
    await this.#add(name, args).start(START_DEADLINE, signal)
    const address = this.#addresses.get(name) ?? {}
    return {
      name,
      folder: join(samplesFolder, name),
      files: ['model.yaml', 'device.yaml'],
      place: (configData: JsonObject) => placedConfig(entry, configData, address),
      address,
      node: config.node,
    }
  }

  /** As soon as its node is there, while the edge still starts; before that, each would be told that it is not. */
  #applySamples(simulated: readonly Promise<Sample>[], signal: AbortSignal): Promise<SamplesOfCloud> {
    const { directory, config, clock } = this.#options
    const apply = async () => {
      const access = parseKubeAccess(await readFile(join(directory, 'kubeconfig'), 'utf8'))
      if (simulated.length > 0) await nodeIsThere(access, config.node, { clock, deadline: START_DEADLINE, signal })
      return { access, samples: await applySamples(access, join(directory, 'cloud'), simulated) }
    }
    return heardLater(apply())
  }
}

/** A rejection counts when somebody waits for it, and is no unhandled one until then. */
function heardLater<T>(work: Promise<T>): Promise<T> {
  work.catch(() => undefined)
  return work
}

interface SamplesOfCloud {
  readonly access: KubeAccess
  readonly samples: readonly AppliedSample[]
}

function addressIn(message: object): JsonObject {
  const address: unknown = 'address' in message ? message.address : undefined
  return isJsonObject(address) ? address : {}
}

/** What came over the channel to a child was JSON. */
function isJsonObject(value: unknown): value is JsonObject {
  return isRecord(value)
}
