import { describeError } from '../../platform/lifecycle/index.ts'
import type { Logger } from '../../platform/log/index.ts'
import type { Clock } from '../../platform/time/index.ts'
import type { DesiredRefusal, DeviceId, Twin, TwinProperty } from '../../schemas/index.ts'
import { propertyOf } from '../model/property.ts'
import { applyUpdate, type TwinLimits } from '../model/update.ts'
import type { TwinKeeper } from './keeper.ts'
import type { Voice } from './voice.ts'

export interface DesireOptions {
  readonly keeper: TwinKeeper
  readonly voice: Voice
  readonly limits: TwinLimits
  readonly clock: Clock
  readonly log: Logger
}

/** Desired values for one device: all of them are taken, or none. */
export interface Desire {
  readonly id: DeviceId
  /** The text for each property, by its name; undefined where there is none because the value is no text. */
  readonly values: ReadonlyMap<string, (property: TwinProperty) => string | undefined>
  readonly author: string
  readonly event: string
}

export type DesireOutcome = { readonly ok: true; readonly twin: Twin } | DesiredRefusal

/**
 * Sets desired values under the rules of twin/update, except that no property is made. `answer` is called once they are on disk, or
 * refused, and before the twin is told to others; settles after that.
 */
export function desire(
  options: DesireOptions,
  wanted: Desire,
  answer: (outcome: DesireOutcome) => void,
): Promise<void> {
  const { keeper, voice, log } = options
  const { id, event } = wanted
  let refusal: DesiredRefusal | undefined
  return new Promise((resolve) => {
    keeper.do(id, {
      apply(twin) {
        const changed = twin ? change(options, wanted, twin) : refused(404, `device ${id} does not exist on this node`)
        if (changed.ok) return changed.twin
        refusal = changed
        return twin
      },
      done(outcome) {
        if (!outcome.ok) {
          log.warn('Desired values could not be stored', { device: id, error: outcome.error })
          refusal = refused(500, describeError(outcome.error))
        }
        const after = outcome.ok && !refusal ? outcome.after : undefined
        answer(after ? { ok: true, twin: after } : (refusal ?? refused(404, `device ${id} is gone`)))
        if (after && outcome.ok) {
          voice.document(outcome.before, after, event)
          voice.delta(undefined, after)
        }
        resolve()
      },
    })
  })
}

function change({ limits, clock }: DesireOptions, wanted: Desire, twin: Twin): DesireOutcome {
  const { id, values, author, event } = wanted
  const changes = new Map<string, { readonly expected: string }>()
  for (const [name, textFor] of values) {
    const property = propertyOf(twin, name)
    if (!property) return refused(404, `device ${id} has no property ${name}`)
    const expected = textFor(property)
    if (expected === undefined) return refused(400, 'the value is not valid UTF-8')
    changes.set(name, { expected })
  }
  const updated = applyUpdate(twin, { eventId: event, twin: changes, author }, limits, clock.now())
  return updated.ok ? updated : refused(400, updated.reason)
}

function refused(code: DesiredRefusal['code'], reason: string): DesiredRefusal {
  return { ok: false, code, reason }
}
