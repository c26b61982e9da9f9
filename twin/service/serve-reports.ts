import type { Bus } from '../../platform/bus/index.ts'
import { UnavailableError } from '../../platform/lifecycle/index.ts'
import type { Clock } from '../../platform/time/index.ts'
import {
  type DeviceId,
  type KnownUntil,
  knownUntil,
  type ReportAnswer,
  reportDevices,
  reportStates,
  type Twin,
  twins,
} from '../../schemas/index.ts'
import { confirmedBy } from '../model/age.ts'
import { stateMessage } from '../model/messages.ts'
import { applyReport } from '../model/report.ts'
import { soundReport, soundState } from '../model/sound-report.ts'
import { applyState } from '../model/state.ts'
import type { TwinLimits } from '../model/update.ts'
import type { Expiry } from './expiry.ts'
import type { TwinKeeper } from './keeper.ts'
import type { Voice } from './voice.ts'

export interface ServeReportsOptions {
  readonly bus: Bus
  readonly keeper: TwinKeeper
  readonly expiry: Expiry
  readonly voice: Voice
  readonly limits: TwinLimits
  readonly clock: Clock
}

/** Answers the mapper host when what it reported is on disk; rejects when any of it is not, and all of it may come again. */
export function serveReports({
  bus,
  keeper,
  expiry,
  voice,
  limits,
  clock,
}: ServeReportsOptions): readonly Disposable[] {
  return [
    bus.serve(knownUntil, async ({ id, uid }) => newestGood(uid, bus.get(twins, id))),
    bus.serve(reportDevices, (reports) =>
      takeAll(reports, (report) =>
        change(
          keeper,
          report.id,
          (twin) => {
            const sound = soundReport(report, clock.now())
            const after = applyReport(twin, sound, limits, clock.now())
            const readings = sound.readings.map((reading) => [reading.property, reading] as const)
            expiry.confirm(report.id, confirmedBy(after, readings))
            return after
          },
          (before, after) => {
            voice.document(before, after)
            voice.delta(before, after)
          },
        ),
      ),
    ),
    bus.serve(reportStates, (reports) =>
      takeAll(reports, (report) =>
        change(
          keeper,
          report.id,
          (twin) => {
            const sound = soundState(report)
            return sound ? applyState(twin, sound, clock.now()) : twin
          },
          (before, after) => {
            if (before === after) return
            voice.answer(report.id, 'namespaced', 'state/update/result', () =>
              stateMessage(voice.head(undefined), after),
            )
          },
        ),
      ),
    ),
  ]
}

/** Of this incarnation of the device alone. What cannot be read now keeps the time of its last value. */
function newestGood(uid: string, twin: Twin | undefined): KnownUntil {
  if (twin?.uid !== uid) return {}
  const times = Object.values(twin.properties).flatMap(({ reported }) =>
    reported && reported.quality !== 'uncertain' ? [reported.sourceTime] : [],
  )
  return times.length === 0 ? {} : { until: Math.max(...times) }
}

/** All at once: each device has its own queue. */
async function takeAll<T extends { readonly id: DeviceId }>(
  reports: readonly T[],
  take: (report: T) => Promise<boolean>,
): Promise<ReportAnswer> {
  const isKnown = await Promise.all(reports.map(take))
  return { unknown: reports.filter((_, index) => !isKnown[index]).map(({ id }) => id) }
}

/** False when there is no such twin. */
function change(
  keeper: TwinKeeper,
  id: DeviceId,
  apply: (twin: Twin) => Twin,
  tell: (before: Twin | undefined, after: Twin) => void,
): Promise<boolean> {
  return new Promise((resolve, reject) => {
    keeper.do(id, {
      apply: (twin) => twin && apply(twin),
      done(outcome) {
        if (!outcome.ok) {
          const details = { code: 'TWIN_NOT_DURABLE', fields: { device: id }, cause: outcome.error }
          reject(new UnavailableError('A report could not be written to disk', details))
          return
        }
        if (outcome.after) tell(outcome.before, outcome.after)
        resolve(outcome.after !== undefined)
      },
    })
  })
}
