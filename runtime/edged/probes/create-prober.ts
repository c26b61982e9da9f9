import { type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import type { Random } from '../../../platform/time/index.ts'
import { fieldPathOf, type PodEvents } from '../events/pod-events.ts'
import type { Probe } from '../pod/schema/actions.ts'
import { type AskPorts, askContainer } from './ask.ts'
import { FollowedContainer } from './followed-container.ts'
import type { ProbeResults, Prober, ProbeTarget } from './prober.ts'
import { Slots } from './slots.ts'
import { PROBE_TYPES, type ProbeType, type Verdict } from './verdict.ts'

export interface ProberPorts extends AskPorts {
  readonly random: Random
  readonly events: PodEvents
  readonly metrics?: Metrics
  /** A container of this pod has other results. */
  readonly onChange: (uid: string) => void
}

/** Questions at a time. A command is a process on this machine; to wait at a socket costs little. */
const COMMANDS_AT_ONCE = 16
const SOCKETS_AT_ONCE = 128

const NO_PROBES: ProbeResults = { isStarted: true, isReady: true }
const TITLES: Readonly<Record<ProbeType, string>> = {
  startup: 'Startup',
  liveness: 'Liveness',
  readiness: 'Readiness',
}

/** Asks until it is disposed. */
export function createProber(ports: ProberPorts): Prober & AsyncDisposable {
  return new ContainerProber(ports)
}

class ContainerProber implements Prober, AsyncDisposable {
  readonly #ports: ProberPorts
  readonly #madeAt: number
  readonly #containers = new Map<string, FollowedContainer>()
  readonly #commands = new Slots(COMMANDS_AT_ONCE)
  readonly #sockets = new Slots(SOCKETS_AT_ONCE)
  readonly #count: (type: ProbeType, result: Verdict['result']) => void

  constructor(ports: ProberPorts) {
    const { clock, metrics = silentMetrics } = ports
    this.#ports = ports
    this.#madeAt = clock.now()
    const probes = metrics.counter({
      name: 'skerry_edged_probes_total',
      help: 'Probes of containers, by their result; unknown: the question itself failed, which counts for nothing.',
      labels: ['type', 'result'],
    })
    this.#count = (type, result) => probes.add(1, { type, result: result === 'warning' ? 'success' : result })
  }

  follow(target: ProbeTarget): void {
    const { container, containerId } = target
    const known = this.#containers.get(containerId)
    known?.update(target)
    if (known || PROBE_TYPES.every((type) => container[`${type}Probe`] === undefined)) return
    const { clock, random, onChange } = this.#ports
    const followed = new FollowedContainer(target, {
      ...{ clock, random, onChange, madeAt: this.#madeAt },
      ask: (type, probe, of, signal) => this.#ask(type, probe, of, signal),
      onVerdict: (type, verdict, of) => this.#tell(type, verdict, of),
    })
    this.#containers.set(containerId, followed)
    followed.begin()
  }

  resultsOf(containerId: string): ProbeResults {
    return this.#containers.get(containerId)?.results ?? NO_PROBES
  }

  keepOnly(uid: string, containerIds: ReadonlySet<string>): void {
    for (const [id, followed] of this.#containers) {
      if (followed.uid !== uid || containerIds.has(id)) continue
      followed.end()
      this.#containers.delete(id)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const followed of this.#containers.values()) followed.end()
    this.#containers.clear()
  }

  async #ask(type: ProbeType, probe: Probe, of: ProbeTarget, signal: AbortSignal): Promise<Verdict> {
    const slots = probe.exec ? this.#commands : this.#sockets
    const verdict = await slots.run(() => askContainer(probe, of, this.#ports, signal), signal)
    this.#count(type, verdict.result)
    return verdict
  }

  #tell(type: ProbeType, { result, text }: Verdict, { pod, container }: ProbeTarget): void {
    if (result === 'success') return
    const said = {
      warning: `${TITLES[type]} probe warning: ${text}`,
      failure: `${TITLES[type]} probe failed: ${text}`,
      unknown: `${TITLES[type]} probe errored and resulted in unknown state: ${text}`,
    }[result]
    const isInit = pod.spec.initContainers.some(({ name }) => name === container.name)
    this.#ports.events.tell(pod, {
      type: 'Warning',
      reason: result === 'warning' ? 'ProbeWarning' : 'Unhealthy',
      message: said,
      fieldPath: fieldPathOf(container.name, isInit ? 'initContainers' : 'containers'),
    })
  }
}
