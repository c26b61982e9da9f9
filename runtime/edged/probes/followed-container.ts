import { type Clock, type Random, seconds } from '../../../platform/time/index.ts'
import type { Probe } from '../pod/schema/actions.ts'
import { ProbeLoop } from './probe-loop.ts'
import type { ProbeResults, ProbeTarget } from './prober.ts'
import type { ProbeType, Verdict } from './verdict.ts'

export interface FollowedPorts {
  readonly clock: Clock
  readonly random: Random
  /** Unix ms. A container from before then may have to wait: they are not all to be asked at once. */
  readonly madeAt: number
  readonly ask: (type: ProbeType, probe: Probe, target: ProbeTarget, signal: AbortSignal) => Promise<Verdict>
  readonly onVerdict: (type: ProbeType, verdict: Verdict, target: ProbeTarget) => void
  readonly onChange: (uid: string) => void
}

/** A container with its probes: the startup probe first, and the two others once that has succeeded. */
export class FollowedContainer {
  readonly #ports: FollowedPorts
  #target: ProbeTarget
  readonly #loops: { -readonly [type in ProbeType]?: ProbeLoop } = {}
  #isStarted: boolean
  #failure: ProbeResults['failure']
  #told = ''

  constructor(target: ProbeTarget, ports: FollowedPorts) {
    this.#target = target
    this.#ports = ports
    this.#isStarted = target.container.startupProbe === undefined || target.known?.isStarted === true
  }

  get uid(): string {
    return this.#target.pod.uid
  }

  get results(): ProbeResults {
    const { readinessProbe } = this.#target.container
    const isReady = this.#isStarted && (readinessProbe === undefined || this.#loops.readiness?.holds === true)
    return { isStarted: this.#isStarted, isReady, ...(this.#failure ? { failure: this.#failure } : {}) }
  }

  begin(): void {
    const isEnding = this.#target.pod.deletion !== undefined
    if (isEnding) this.#isStarted = true
    if (this.#isStarted) this.#beginAfterStart()
    else this.#begin('startup', this.#target.container.startupProbe, false)
    this.#told = fingerprint(this.results)
  }

  update(target: ProbeTarget): void {
    const wasEnding = this.#target.pod.deletion !== undefined
    this.#target = target
    if (target.pod.deletion === undefined || wasEnding) return
    this.#changing(() => {
      this.#loops.startup?.end()
      this.#loops.liveness?.end()
      if (this.#isStarted) return
      this.#isStarted = true
      this.#beginAfterStart()
    })
  }

  end(): void {
    for (const loop of Object.values(this.#loops)) loop.end()
  }

  #beginAfterStart(): void {
    const { container, pod, known } = this.#target
    if (pod.deletion === undefined) this.#begin('liveness', container.livenessProbe, true)
    this.#begin('readiness', container.readinessProbe, known?.isReady === true)
  }

  #begin(type: ProbeType, probe: Probe | undefined, holds: boolean): void {
    if (!probe) return
    const { clock, ask } = this.#ports
    const loop = new ProbeLoop(probe, holds, {
      clock,
      ask: (signal) => ask(type, probe, this.#target, signal),
      onVerdict: (verdict, isSettled) => {
        this.#ports.onVerdict(type, verdict, this.#target)
        if (isSettled) this.#changing(() => this.#settle(type, probe, loop))
      },
    })
    this.#loops[type] = loop
    loop.begin(this.#firstWait(probe))
  }

  /** ms. */
  #firstWait({ initialDelaySeconds, periodSeconds }: Probe): number {
    const { clock, random, madeAt } = this.#ports
    const { startedAt } = this.#target
    const delay = seconds(initialDelaySeconds).milliseconds
    // Never longer than the whole delay, whatever the wall clock did.
    const left = Math.min(delay, Math.max(0, startedAt + delay - clock.now()))
    const isFromBefore = startedAt < madeAt && clock.now() - madeAt < seconds(periodSeconds).milliseconds
    return isFromBefore ? Math.max(left, random.next() * seconds(periodSeconds).milliseconds) : left
  }

  #settle(type: ProbeType, probe: Probe, loop: ProbeLoop): void {
    if (type === 'readiness') return
    const { holds } = loop
    if (type === 'startup' && holds) {
      loop.end()
      this.#isStarted = true
      this.#beginAfterStart()
    }
    if (holds) return
    // What has failed for good is not asked again; the container that follows it is.
    loop.end()
    const { terminationGracePeriodSeconds: graceSeconds } = probe
    const message = `Container ${this.#target.container.name} failed ${type} probe, will be restarted`
    this.#failure = { message, ...(graceSeconds === undefined ? {} : { graceSeconds }) }
  }

  /** The readiness loop has its new state already when it tells, so what was told last is remembered. */
  #changing(change: () => void): void {
    change()
    const now = fingerprint(this.results)
    if (now === this.#told) return
    this.#told = now
    this.#ports.onChange(this.uid)
  }
}

function fingerprint({ isStarted, isReady, failure }: ProbeResults): string {
  return `${isStarted} ${isReady} ${failure?.message ?? ''}`
}
