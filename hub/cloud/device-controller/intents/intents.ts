import {
  type CloudIntent,
  type CloudIntents,
  type Device,
  type DeviceModel,
  type MergedProperty,
  mergedProperties,
  parseIntent,
  type SeenWish,
  type StatusIntent,
  sameValue,
} from '../../../../schemas/index.ts'
import { isRecord } from '../../kubernetes/guards.ts'
import { EXTRA, viewOfStatus } from '../views/twin-view.ts'
import { writerOfDesired } from './field-writers.ts'

/** Where the API does not say who. */
const SOMEBODY = 'cloud'

/**
 * The intents of a Device as the API shows it: those before, and a new one for each desired value that has changed its meaning.
 * What the author of a new one knew of the edge stands in the status of the same object, because a status is only ever
 * written by somebody who has seen the spec of the moment. Pure; the same object when nothing changes.
 */
export function intentsOf(
  device: Device,
  model: DeviceModel | undefined,
  before: CloudIntents | undefined,
  now: number,
): CloudIntents {
  const entries = mergedProperties(device, model)
    .filter(isWish)
    .map((property) => {
      const { name, desired } = property.device
      const value = desired?.value ?? ''
      const known = before && Object.hasOwn(before, name) ? before[name] : undefined
      if (known && sameValue(property.model.type ?? 'STRING', known.value, value)) return [name, known] as const
      return [name, before ? newIntent(device, name, value, now) : firstIntent(device, name, value, now)] as const
    })
  const next = Object.fromEntries(entries)
  const isSame = before && entries.length === Object.keys(before).length && entries.every(([k, v]) => before[k] === v)
  return isSame ? before : next
}

/** Go clients write an absent desired value as an empty text, which means something for writable text only. */
export function isWish({ device, model }: MergedProperty): boolean {
  if (!device.desired) return false
  return device.desired.value !== '' || (model.type === 'STRING' && model.accessMode !== 'ReadOnly')
}

/** What an earlier process has written down; nothing where none ever did. */
export function readIntents(device: Device): CloudIntents | undefined {
  const list: unknown = device.status?.intents
  if (!Array.isArray(list)) return undefined
  const entries = list.flatMap((entry: unknown) => {
    const intent = parseIntent(entry)
    const name = isRecord(entry) ? entry['propertyName'] : undefined
    return intent && typeof name === 'string' ? [[name, intent] as const] : []
  })
  return Object.fromEntries(entries)
}

/** For the status of a Device. An empty list says that intents are written down, and that there are none. */
export function statusIntents(intents: CloudIntents): readonly StatusIntent[] {
  return Object.entries(intents).map(([propertyName, intent]) => ({ propertyName, ...intent }))
}

function newIntent(device: Device, name: string, value: string, now: number): CloudIntent {
  const writer = writerOfDesired(device, name)
  const seen = seenIn(viewOfStatus(device, undefined).get(name)?.observedDesired?.metadata)
  return {
    value,
    generation: device.metadata.generation ?? 0,
    timestamp: timeWithin(writer?.second, now),
    author: writer?.manager ?? SOMEBODY,
    ...(seen ? { seen } : {}),
  }
}

/**
 * Nobody wrote down when this value came, so it is as old as can be: an edge that has adopted it under any generation does not
 * take it for a new one. Its time is known where the API knows it, or where the Device is new.
 */
function firstIntent(device: Device, name: string, value: string, now: number): CloudIntent {
  const writer = writerOfDesired(device, name)
  const isNew = device.metadata.generation === 1
  const time = writer?.second !== undefined || isNew ? { timestamp: timeWithin(writer?.second, now) } : {}
  return { value, generation: 1, ...time, author: writer?.manager ?? SOMEBODY }
}

/** API servers write whole seconds: within that second, the time at which the change was seen here. */
function timeWithin(second: number | undefined, now: number): number {
  return Math.trunc(second === undefined ? now : Math.min(Math.max(now, second), second + 999))
}

function seenIn(metadata: Readonly<Record<string, string>> = {}): SeenWish | undefined {
  if (metadata[EXTRA.origin] !== 'edge') return undefined
  const edge = Number(metadata[EXTRA.edge])
  const timestamp = Number(metadata['timestamp'])
  return Number.isFinite(edge) && Number.isFinite(timestamp) ? { edge, timestamp } : undefined
}
