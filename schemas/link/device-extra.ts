import type { CloudIntent, CloudIntents, SeenWish } from '../device/index.ts'

/** Content of a Device frame (cloud to edge), under `skerry`; only between Skerry peers (SKERRY_HEADER). */
export interface DeviceExtra {
  readonly intents: CloudIntents
}

/** `intents` of a DeviceExtra; entries of another form are left out, and so is the whole where there is none. */
export function parseIntents(extra: unknown): CloudIntents | undefined {
  const intents = isObject(extra) ? extra['intents'] : undefined
  if (!isObject(intents)) return undefined
  const entries = Object.entries(intents).flatMap(([name, each]) => {
    const intent = parseIntent(each)
    return intent ? [[name, intent] as const] : []
  })
  return Object.fromEntries(entries)
}

/** One intent as it travels and as it is kept; undefined for anything else. */
export function parseIntent(given: unknown): CloudIntent | undefined {
  if (!isObject(given)) return undefined
  const { value, generation, timestamp, author } = given
  if (typeof value !== 'string' || !isCount(generation)) return undefined
  const seen = parseSeen(given['seen'])
  return {
    value,
    generation,
    ...(isCount(timestamp) ? { timestamp } : {}),
    ...(typeof author === 'string' ? { author } : {}),
    ...(seen ? { seen } : {}),
  }
}

function parseSeen(given: unknown): SeenWish | undefined {
  if (!isObject(given)) return undefined
  const { edge, timestamp } = given
  return isCount(edge) && isCount(timestamp) ? { edge, timestamp } : undefined
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}
