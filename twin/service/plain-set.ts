import type { EventBus, MqttMessage } from '../../platform/bus/index.ts'
import {
  type DesiredRefusal,
  PLAIN_SET_FILTER,
  type PlainSetResult,
  parsePlainSet,
  type TwinProperty,
} from '../../schemas/index.ts'
import { plainTime, plainValue } from '../model/plain.ts'
import { propertyOf, typeOf } from '../model/property.ts'
import { authorOf } from './ask.ts'
import { type DesireOptions, desire } from './desire.ts'

export interface PlainSetOptions extends DesireOptions {
  readonly eventBus: EventBus
}

/** Longest text that a refusal repeats, UTF-16 units. */
const LONGEST_ECHO = 256
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Takes desired values on `.../<property>/set` under the rules of twin/update, except that no property is made. The receipt is
 * given when the value is on disk and answered. What a broker had kept retained is not a wish of now and is passed over.
 */
export function servePlainSets(options: PlainSetOptions): Disposable {
  return options.eventBus.handle(PLAIN_SET_FILTER, (message) => takePlainSet(options, message))
}

function takePlainSet(options: PlainSetOptions, message: MqttMessage): Promise<void> {
  const { topic, payload, retain } = message
  const target = parsePlainSet(topic)
  if (!target || retain) return Promise.resolve()
  const { voice, clock } = options
  const { event_id: event } = voice.head(undefined)
  const { id, property: name } = target
  const textOfPayload = (property: TwinProperty) => textOf(property, payload)
  return desire(
    options,
    { id, values: new Map([[name, textOfPayload]]), author: authorOf(message), event },
    (outcome) => {
      const property = outcome.ok ? propertyOf(outcome.twin, name) : undefined
      const refusal = outcome.ok ? undefined : outcome
      voice.plain(`${topic}/result`, resultOf(property, refusal, payload, event, clock.now()))
    },
  )
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
  refusal: Pick<DesiredRefusal, 'code' | 'reason'> | undefined,
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
