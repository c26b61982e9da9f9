import type { Bus } from '../../platform/bus/index.ts'
import type { Metrics } from '../../platform/health/index.ts'
import { createReconciler, type Scope, UnavailableError } from '../../platform/lifecycle/index.ts'
import type { Logger } from '../../platform/log/index.ts'
import type { Clock, Random } from '../../platform/time/index.ts'
import { assignedDevices, type DeviceId, listed, type Twin } from '../../schemas/index.ts'
import { adopt } from '../model/adopt.ts'
import type { TwinKeeper } from './keeper.ts'
import type { Voice } from './voice.ts'

export interface FollowDevicesOptions {
  readonly bus: Bus
  readonly keeper: TwinKeeper
  readonly voice: Voice
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics: Metrics
}

/** So many devices are adopted at once: they share commits. */
const WORKERS = 256

/**
 * Brings the twins after the devices that this node is to serve: adopts those that come or change, forgets those that are
 * gone. Until MetaManager has listed its devices completely nothing is forgotten.
 */
export function followDevices(options: FollowDevicesOptions, scope: Scope): void {
  const { bus, keeper, clock, random, log, metrics } = options
  const reconciler = createReconciler({
    name: 'twin-devices',
    reconcile: (id) => reconcile(options, id),
    workers: WORKERS,
    ...{ clock, random, log, metrics },
  })
  scope.pending('the list of devices')
  scope.run((signal) => reconciler.run(signal))
  scope.use(bus.watch(assignedDevices, ({ key }) => void reconciler.enqueue(key)))
  scope.use(
    bus.watch(listed, ({ key, value }) => {
      if (key !== 'devices' || !value) return
      scope.pending(undefined)
      for (const { id } of keeper.all()) reconciler.enqueue(id)
    }),
  )
}

function reconcile({ bus, keeper, voice, clock }: FollowDevicesOptions, id: DeviceId): Promise<void> {
  return new Promise((resolve, reject) => {
    keeper.do(id, {
      apply(twin) {
        const assigned = bus.get(assignedDevices, id)
        if (assigned) return adopt(twin, assigned, clock.now(), keeper.floor)
        return bus.get(listed, 'devices') ? undefined : twin
      },
      done(outcome) {
        if (!outcome.ok) {
          const details = { code: 'TWIN_NOT_ADOPTED', fields: { device: id }, cause: outcome.error }
          reject(new UnavailableError('A device could not be taken over into its twin', details))
          return
        }
        announce(voice, outcome.before, outcome.after)
        resolve()
      },
    })
  })
}

function announce(voice: Voice, before: Twin | undefined, after: Twin | undefined): void {
  if (before === after) return
  const isSame = before?.uid === after?.uid
  if (before && !isSame) voice.left(before)
  if (!after) return
  if (!isSame) voice.joined(after)
  voice.attributes(isSame ? before : undefined, after)
  voice.document(isSame ? before : undefined, after)
  voice.delta(isSame ? before : undefined, after)
}
