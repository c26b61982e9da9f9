import { describeError, type Scope } from '../../platform/lifecycle/index.ts'
import { type Duration, minutes, ms, seconds } from '../../platform/time/index.ts'
import { createContainerGc } from './housekeeping/container-gc.ts'
import { keepRoom } from './housekeeping/eviction.ts'
import { measureStocks } from './housekeeping/eviction-signals.ts'
import { createImageGc } from './housekeeping/image-gc.ts'
import { createLogRotation } from './housekeeping/log-rotation.ts'
import { logSizes } from './housekeeping/pod-usage.ts'
import type { Crew } from './lifecycle/crew.ts'
import type { Pods } from './lifecycle/pods.ts'
import type { Pod } from './pod/pod.ts'
import { LABELS } from './state/labels.ts'
import type { UpkeepOptions } from './upkeep-options.ts'

const EVERY = { containers: minutes(1), images: minutes(5), logs: seconds(10), compression: minutes(1) }

/** Keeps a node from filling up: what has ended and is of no use goes, logs are rotated, and pods go before nothing is left. */
export function startUpkeep(options: UpkeepOptions, crew: Crew, pods: Pods, scope: Scope): void {
  const { desired, log } = crew
  const known = () => (desired.isComplete ? new Set(pods.uids()) : undefined)
  const wanted = () => (desired.isComplete ? desired.pods().flatMap(imagesOf) : undefined)
  const containers = createContainerGc({ ...crew, pods: known })
  const images = createImageGc({ ...crew, wanted }, options.images)
  const logs = createLogRotation(crew, options.containerLogs)
  const each = (every: Duration, pass: (signal: AbortSignal) => Promise<unknown>) =>
    scope.run((signal) => repeat(crew, every, pass, signal))
  each(EVERY.containers, (signal) => containers.run(signal))
  each(EVERY.images, (signal) => images.run(signal))
  each(EVERY.logs, (signal) => logs.run(signal))
  each(EVERY.compression, (signal) => logs.compress(signal))
  // What pods use is not known then, and nothing of them can be ended.
  const isAway = () => crew.view.problem !== undefined
  const measured = { directory: crew.places.directory, runtime: crew.runtime }
  const eviction = {
    ...{
      clock: crew.clock,
      log,
      runtime: crew.runtime,
      labels: { [LABELS.owner]: crew.owner },
      hard: options.eviction,
    },
    measure: async (signal: AbortSignal) => (isAway() ? {} : measureStocks(measured, signal)),
    pods: () => (isAway() ? [] : desired.pods().filter(({ uid }) => pods.isAlive(uid))),
    volumesOf: (pod: Pod, signal: AbortSignal) => crew.volumes.usageOf(pod, signal),
    logsOf: (pod: Pod) => logSizes(crew.places.podLogs(pod)),
    reclaim: async (signal: AbortSignal) => {
      await containers.run(signal)
      await images.removeUnused(signal)
    },
    evict: (uid: string, why: { readonly reason: string; readonly message: string }, grace: Duration) =>
      pods.end(uid, why, grace),
    tell: crew.events.tell.bind(crew.events),
  }
  scope.run((signal) => keepRoom(eviction, signal))
}

function imagesOf({ spec }: Pod): readonly string[] {
  return [...spec.initContainers, ...spec.containers].map(({ image }) => image)
}

/** While the runtime is away there is nothing to keep. */
async function repeat(
  { clock, view, random, log }: Crew,
  every: Duration,
  pass: (signal: AbortSignal) => Promise<unknown>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(ms(every.milliseconds * (0.9 + random.next() / 5)), signal).catch(() => undefined)
    if (signal.aborted || view.problem !== undefined) continue
    await pass(signal).catch((error: unknown) => {
      if (!signal.aborted) log.warn('Tidying up failed; trying again', { error: describeError(error) })
    })
  }
}
