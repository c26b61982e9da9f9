import { describeError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { type Clock, type Duration, ms, seconds } from '../../../platform/time/index.ts'
import type { ContainerRuntime, Labels } from '../cri/runtime.ts'
import type { Waiting } from '../pod/obstacle.ts'
import { type Pod, podKey } from '../pod/pod.ts'
import { type Candidate, evictionOrder, isCritical } from './eviction-rank.ts'
import { type EvictionThresholds, type Shortage, type Signal, type Stocks, shortagesOf } from './eviction-signals.ts'
import { beyondLimits, hasDiskLimits, shortageMessage } from './eviction-words.ts'
import { containerUses, type VolumeUse } from './pod-usage.ts'

export interface EvictionPorts {
  readonly clock: Clock
  readonly log: Logger
  readonly runtime: Pick<ContainerRuntime, 'containerStats'>
  /** Of this node's containers. */
  readonly labels: Labels
  /** At once when less is left. */
  readonly hard: EvictionThresholds
  /** After it was so for as long; then pods get their grace, `mostGrace` at the longest. */
  readonly soft?: EvictionThresholds & { readonly after: Duration; readonly mostGrace: Duration }
  readonly measure: (signal: AbortSignal) => Promise<Stocks>
  /** Pods with something that runs here, also while they are being ended. */
  readonly pods: () => readonly Pod[]
  readonly volumesOf: (pod: Pod, signal: AbortSignal) => Promise<readonly VolumeUse[]>
  /** Sizes of its logs by container. */
  readonly logsOf: (pod: Pod, signal: AbortSignal) => Promise<ReadonlyMap<string, number>>
  /** Removes what nobody needs: images, containers that ended. Before any pod goes for want of disk. */
  readonly reclaim: (signal: AbortSignal) => Promise<void>
  readonly evict: (uid: string, why: Waiting, grace: Duration) => Promise<void>
  readonly tell: (pod: Pod, event: Waiting & { readonly type: 'Warning' }) => void
}

/** A kubelet's. */
const EVERY = seconds(10)
/** So long the end of one pod may take before another one goes. */
const EFFECT_WITHIN = seconds(30)
/** Looking at what pods have on disk means to walk through it: once in so many passes. */
const LIMITS_EVERY = 6
const REASON = 'Evicted'

/** Ends pods before the machine has nothing left, one at a time. Runs until the signal. */
export async function keepRoom(ports: EvictionPorts, signal: AbortSignal): Promise<void> {
  const evictor = new Evictor(ports)
  while (!signal.aborted) {
    await ports.clock.sleep(EVERY, signal).catch(() => undefined)
    if (signal.aborted) return
    await evictor.pass(signal).catch((error: unknown) => {
      if (signal.aborted) return
      ports.log.warn('What is left on this machine could not be looked at; trying again', {
        error: describeError(error),
      })
    })
  }
}

/** A shortage that is to be ended now, with the grace of who goes for it. */
interface Due extends Shortage {
  readonly grace: Duration
}

class Evictor {
  readonly #ports: EvictionPorts
  /** Since when less than the soft threshold is left, by signal; monotonic ms. */
  readonly #softSince = new Map<Signal, number>()
  /** The last one that had to go, until its effect is seen. */
  #last: { readonly uid: string; readonly at: number } | undefined
  /** Those that had to go and are still there: they do not have to go again. */
  readonly #evicted = new Set<string>()
  #passes = 0

  constructor(ports: EvictionPorts) {
    this.#ports = ports
  }

  async pass(signal: AbortSignal): Promise<void> {
    const { reclaim } = this.#ports
    const pods = this.#ports.pods()
    for (const uid of this.#evicted) if (!pods.some((pod) => pod.uid === uid)) this.#evicted.delete(uid)
    const before = this.#due(await this.#ports.measure(signal))
    if (this.#awaitsEffect(pods)) return
    const isLimitsTurn = this.#passes++ % LIMITS_EVERY === 0
    if (isLimitsTurn && (await this.#evictBeyondLimits(pods, signal))) return
    if (before.length === 0) return
    // Nothing of that takes memory, and images that went may be far away.
    if (before.some(({ resource }) => resource !== 'memory')) await reclaim(signal)
    const [urgent] = this.#due(await this.#ports.measure(signal))
    if (urgent) await this.#evictFor(urgent, pods, signal)
  }

  #due(stocks: Stocks): readonly Due[] {
    const { hard, soft, clock } = this.#ports
    const immediate = shortagesOf(stocks, hard).map((each) => ({ ...each, grace: ms(0) }))
    if (!soft) return immediate
    const shortages = shortagesOf(stocks, soft)
    const low = new Set(shortages.map(({ signal }) => signal))
    for (const signal of this.#softSince.keys()) if (!low.has(signal)) this.#softSince.delete(signal)
    const now = clock.monotonic()
    for (const signal of low) if (!this.#softSince.has(signal)) this.#softSince.set(signal, now)
    const lasting = shortages.filter(
      ({ signal }) => now - (this.#softSince.get(signal) ?? now) >= soft.after.milliseconds,
    )
    const known = new Set(immediate.map(({ signal }) => signal))
    return [
      ...immediate,
      ...lasting.filter(({ signal }) => !known.has(signal)).map((each) => ({ ...each, grace: soft.mostGrace })),
    ]
  }

  #awaitsEffect(pods: readonly Pod[]): boolean {
    if (!this.#last) return false
    const { uid, at } = this.#last
    const isThere = pods.some((pod) => pod.uid === uid)
    if (isThere && this.#ports.clock.monotonic() - at < EFFECT_WITHIN.milliseconds) return true
    this.#last = undefined
    return false
  }

  async #evictBeyondLimits(pods: readonly Pod[], signal: AbortSignal): Promise<boolean> {
    const limited = pods.filter((pod) => hasDiskLimits(pod) && !isCritical(pod) && this.#isStaying(pod))
    for (const { pod, use } of await this.#candidates(limited, 'disk', signal)) {
      const message = use && beyondLimits(pod, use)
      if (!message) continue
      await this.#evict(pod, message, ms(0))
      return true
    }
    return false
  }

  async #evictFor(due: Due, pods: readonly Pod[], signal: AbortSignal): Promise<void> {
    const { log } = this.#ports
    const candidates = await this.#candidates(
      pods.filter((pod) => this.#isStaying(pod)),
      due.resource === 'memory' ? 'memory' : 'disk',
      signal,
    )
    const [first] = evictionOrder(candidates, due.resource)
    if (first) return this.#evict(first.pod, shortageMessage(due, first), graceOf(first.pod, due.grace))
    const { signal: what, least, left } = due
    log.warn('This machine runs short, and no pod may be evicted for it', { signal: what, least, left })
  }

  #isStaying({ uid, deletion }: Pod): boolean {
    return deletion === undefined && !this.#evicted.has(uid)
  }

  async #candidates(
    pods: readonly Pod[],
    looksAt: 'memory' | 'disk',
    signal: AbortSignal,
  ): Promise<readonly Candidate[]> {
    if (pods.length === 0) return []
    const { runtime, labels, volumesOf, logsOf } = this.#ports
    const stats = await runtime.containerStats(labels, signal)
    const candidates: Candidate[] = []
    for (const pod of pods) {
      const logs = looksAt === 'disk' ? await logsOf(pod, signal) : undefined
      const containers = containerUses(pod, stats, logs)
      const volumes = looksAt === 'disk' && containers ? await volumesOf(pod, signal) : []
      candidates.push({ pod, use: containers && { containers, volumes } })
    }
    return candidates
  }

  async #evict(pod: Pod, message: string, grace: Duration): Promise<void> {
    const { clock, log, tell, evict } = this.#ports
    const why = { reason: REASON, message }
    log.warn('A pod is evicted', { pod: podKey(pod), uid: pod.uid, why: message })
    tell(pod, { type: 'Warning', ...why })
    this.#last = { uid: pod.uid, at: clock.monotonic() }
    this.#evicted.add(pod.uid)
    await evict(pod.uid, why, grace)
  }
}

function graceOf({ spec }: Pod, most: Duration): Duration {
  return ms(Math.min(most.milliseconds, spec.terminationGracePeriodSeconds * 1000))
}
