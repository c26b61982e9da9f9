import type { Bus } from '../../platform/bus/index.ts'
import type { Metrics } from '../../platform/health/index.ts'
import { UnavailableError } from '../../platform/lifecycle/index.ts'
import type { Logger } from '../../platform/log/index.ts'
import type { Clock } from '../../platform/time/index.ts'
import { type CloudUpdate, type CloudUpdateAnswer, type Twin, updateFromCloud } from '../../schemas/index.ts'
import { applyAttributes } from '../model/attributes.ts'
import { applyCloudUpdate } from '../model/cloud-update.ts'
import type { TwinLimits } from '../model/update.ts'
import type { TwinKeeper } from './keeper.ts'
import type { Voice } from './voice.ts'

export interface ServeCloudOptions {
  readonly bus: Bus
  readonly keeper: TwinKeeper
  readonly voice: Voice
  readonly limits: TwinLimits
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: Metrics
}

/** What a cloud says of a device by itself, beside its spec. Answers when it is on disk, or was not taken. */
export function serveCloud(options: ServeCloudOptions): Disposable {
  const updates = options.metrics.counter({
    name: 'skerry_twin_cloud_updates_total',
    help: 'What the cloud said of single devices beside their specs, by outcome.',
    labels: ['outcome'],
  })
  return options.bus.serve(updateFromCloud, async (update) => {
    const answer = await take(options, update)
    updates.add(1, { outcome: answer.outcome })
    if (answer.outcome !== 'taken') options.log.debug('The cloud was not followed', { device: update.id, ...answer })
    return answer
  })
}

function take({ keeper, voice, limits, clock }: ServeCloudOptions, update: CloudUpdate): Promise<CloudUpdateAnswer> {
  let judged: Judged | undefined
  return new Promise((resolve, reject) => {
    keeper.do(update.id, {
      apply(twin) {
        judged = twin && judge(twin, update, limits, clock.now())
        return judged?.twin
      },
      done(outcome) {
        if (!outcome.ok) {
          const details = { code: 'TWIN_NOT_DURABLE', fields: { device: update.id }, cause: outcome.error }
          reject(new UnavailableError('What the cloud said of a device could not be written to disk', details))
          return
        }
        const { before, after } = outcome
        if (after) {
          voice.attributes(before, after, update.eventId)
          voice.document(before, after, update.eventId)
          voice.delta(before, after)
        }
        resolve(judged?.answer ?? { outcome: 'unknown' })
      },
    })
  })
}

interface Judged {
  readonly twin: Twin
  readonly answer: CloudUpdateAnswer
}

function judge(twin: Twin, update: CloudUpdate, limits: TwinLimits, now: number): Judged {
  if (update.kind === 'attributes') {
    const updated = applyAttributes(twin, update, limits)
    if (updated.ok) return { twin: updated.twin, answer: { outcome: 'taken' } }
    return { twin, answer: { outcome: 'refused', reason: updated.reason } }
  }
  const { twin: next, stale, refusal } = applyCloudUpdate(twin, update, limits, now)
  const reason = refusal === undefined ? {} : { reason: refusal }
  if (stale.length > 0) return { twin: next, answer: { outcome: 'stale', ...reason } }
  return { twin: next, answer: { outcome: refusal === undefined ? 'taken' : 'refused', ...reason } }
}
