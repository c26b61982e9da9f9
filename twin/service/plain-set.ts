import type { EventBus, MqttMessage } from '../../platform/bus/index.ts'
import { describeError } from '../../platform/lifecycle/index.ts'
import type { Logger } from '../../platform/log/index.ts'
import type { Clock } from '../../platform/time/index.ts'
import {
  PLAIN_SET_FILTER,
  type PlainSetResult,
  parsePlainSet,
  type Twin,
  type TwinProperty,
} from '../../schemas/index.ts'
import { plainTime, plainValue } from '../model/plain.ts'
import { propertyOf, typeOf } from '../model/property.ts'
import { applyUpdate, type TwinLimits } from '../model/update.ts'
import { authorOf } from './ask.ts'
import type { TwinKeeper } from './keeper.ts'
import type { Voice } from './voice.ts'

export interface PlainSetOptions {
  readonly eventBus: EventBus
  readonly keeper: TwinKeeper
  readonly voice: Voice
  readonly limits: TwinLimits
  readonly clock: Clock
  readonly log: Logger
}

interface Refusal {
  readonly code: 400 | 404 | 500
  readonly reason: string
}

/** Longest text that a refusal repeats, UTF-16 units. */
const LONGEST_ECHO = 256
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Takes desired values on `.../<property>/set` under the rules of twin/update, except that no property is made. The receipt is
 * given when the value is on disk and answered. What a broker had kept retained is not a wish of now and is passed over.
 */
export function servePlainSets(options: PlainSetOptions): Disposable {
  return options.eventBus.handle(PLAIN_SET_FILTER, (message) => setDesired(options, message))
}

function setDesired(options: PlainSetOptions, message: MqttMessage): Promise<void> {
  const { topic, payload, retain } = message
  const target = parsePlainSet(topic)
  if (!target || retain) return Promise.resolve()
  const { keeper, voice, limits, clock, log } = options
  const { event_id: event } = voice.head(undefined)
  const { id, property: name } = target
  let refusal: Refusal | undefined
  const refuse = (reason: string, code: Refusal['code'] = 400): undefined => {
    refusal = { code, reason }
  }
  const change = (twin: Twin): Twin | undefined => {
    const property = propertyOf(twin, name)
    if (!property) return refuse(`device ${id} has no property ${name}`, 404)
    const expected = textOf(property, payload)
    if (expected === undefined) return refuse('the value is not valid UTF-8')
    const update = { eventId: event, twin: new Map([[name, { expected }]]), author: authorOf(message) }
    const updated = applyUpdate(twin, update, limits, clock.now())
    return updated.ok ? updated.twin : refuse(updated.reason)
  }
  return new Promise((resolve) => {
    keeper.do(id, {
      apply: (twin) => (twin ? (change(twin) ?? twin) : refuse(`device ${id} does not exist on this node`, 404)),
      done(outcome) {
        if (!outcome.ok) {
          log.warn('A request of an MQTT client failed', { device: id, error: outcome.error })
          refuse(describeError(outcome.error), 500)
        }
        const after = outcome.ok && !refusal ? outcome.after : undefined
        voice.plain(`${topic}/result`, resultOf(after && propertyOf(after, name), refusal, payload, event, clock.now()))
        if (after && outcome.ok) {
          voice.document(outcome.before, after, event)
          voice.delta(undefined, after)
        }
        resolve()
      },
    })
  })
}

/** Undefined for what is no text; BYTES may be anything. */
function textOf(property: TwinProperty, payload: Uint8Array): string | undefined {
  return typeOf(property) === 'BYTES' ? Buffer.from(payload).toString('base64') : decode(payload)
}

function decode(payload: Uint8Array): string | undefined {
  try {
    return UTF8.decode(payload)
  } catch {
    // Not UTF-8, which is an answer.
    return undefined
  }
}

function resultOf(
  property: TwinProperty | undefined,
  refusal: Refusal | undefined,
  payload: Uint8Array,
  event: string,
  now: number,
): PlainSetResult {
  const time = plainTime(now)
  if (property?.desired) return { ok: true, value: plainValue(property, property.desired.value), time, event }
  const { code, reason } = refusal ?? { code: 500, reason: 'the property is gone' }
  const asked = payload.length <= LONGEST_ECHO ? decode(payload) : undefined
  return { ok: false, code, reason, ...(asked === undefined ? {} : { value: asked }), time, event }
}
