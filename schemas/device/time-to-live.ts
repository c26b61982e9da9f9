import type { KubeObject } from './kubernetes.ts'
import { ALL_PROPERTIES, type PropertySettings, parsePropertySettings, settingFor } from './property-settings.ts'

/** On a Device or DeviceModel: how long a reported value is worth something after its last reading. */
export const TIME_TO_LIVE_ANNOTATION = 'skerry.dev/time-to-live'

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const TEXT = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)$/
const SHORTEST = 100
const LONGEST = 366 * 86_400_000
/** Takes away what `*` or the model says. */
const NONE = 'none'

/** The time to live of each property of a device, ms: its own annotation before that of its model. What is malformed says nothing. */
export function timesToLive(
  device: KubeObject,
  model: KubeObject | undefined,
): (property: string) => number | undefined {
  const ofDevice = settingsOf(device.metadata.annotations)
  const ofModel = settingsOf(model?.metadata.annotations)
  return (property) => {
    const time = parseTimeToLive(settingFor(property, ofDevice, ofModel) ?? NONE)
    return time === NONE ? undefined : time
  }
}

/** Why an annotation of an object with these properties is refused, or nothing. Completes "the annotation ...". */
export function refuseTimeToLive(text: string, properties: readonly string[]): string | undefined {
  const parsed = parsePropertySettings(text)
  if (!parsed.ok) return parsed.reason
  for (const [property, word] of parsed.settings) {
    if (parseTimeToLive(word) === undefined)
      return `has ${JSON.stringify(word)} in it: a time to live is written as 500ms, 10s, 5m, 2h or 1d, from ${SHORTEST}ms to 366d, or none`
    if (property !== ALL_PROPERTIES && !properties.includes(property)) return `names no property: ${property}`
  }
  return undefined
}

/** ms, or `none`; undefined for any other text. */
function parseTimeToLive(text: string): number | typeof NONE | undefined {
  if (text === NONE) return NONE
  const [, amount, unit = ''] = TEXT.exec(text) ?? []
  const time = Number(amount) * (UNITS[unit] ?? Number.NaN)
  return time >= SHORTEST && time <= LONGEST ? time : undefined
}

/** A malformed annotation is one that is not there. */
function settingsOf(annotations: Readonly<Record<string, string>> | undefined): PropertySettings | undefined {
  const text = annotations?.[TIME_TO_LIVE_ANNOTATION]
  const parsed = text === undefined ? undefined : parsePropertySettings(text)
  return parsed?.ok ? parsed.settings : undefined
}
