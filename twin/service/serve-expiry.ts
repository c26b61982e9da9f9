import type { Counter } from '../../platform/health/index.ts'
import type { Logger } from '../../platform/log/index.ts'
import type { DeviceId } from '../../schemas/index.ts'
import { expire } from '../model/age.ts'
import type { Expiry } from './expiry.ts'
import type { TwinKeeper } from './keeper.ts'
import type { Voice } from './voice.ts'

export interface ExpireOptions {
  readonly keeper: TwinKeeper
  readonly expiry: Expiry
  readonly voice: Voice
  readonly expired: Counter
  readonly log: Logger
}

/** Makes stale in the twin what nothing has confirmed in time: a change like any other, durable before it is told. */
export function expireValues(
  { keeper, expiry, voice, expired, log }: ExpireOptions,
  id: DeviceId,
  names: readonly string[],
): void {
  let count = 0
  keeper.do(id, {
    apply(twin) {
      // Readings that waited in the same queue have confirmed by now what they read.
      const due = expiry.overdue(id, names)
      count = due.size
      return twin && expire(twin, due)
    },
    done(outcome) {
      expiry.settle(id, names, outcome.ok)
      if (!outcome.ok) {
        log.warn('That values are stale could not be stored; it is tried again', { device: id, error: outcome.error })
        return
      }
      if (!outcome.after || outcome.after === outcome.before) return
      expired.add(count)
      voice.document(outcome.before, outcome.after)
    },
  })
}
