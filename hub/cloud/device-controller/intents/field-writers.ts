import type { KubeObject } from '../../../../schemas/index.ts'
import { isRecord } from '../../kubernetes/guards.ts'

/** Who wrote a field last, as an API server with field management remembers it. */
export interface FieldWriter {
  readonly manager: string
  /** Unix ms of the whole second in which it was written; absent where the API does not say. */
  readonly second?: number
}

/**
 * Writer of the desired value of a property, from `metadata.managedFields`; nothing where the API keeps none. A manager owns
 * the field itself or a part of the object that holds it; of several, the latest is meant.
 */
export function writerOfDesired(object: KubeObject, property: string): FieldWriter | undefined {
  const entries: unknown = Reflect.get(object.metadata, 'managedFields')
  if (!Array.isArray(entries)) return undefined
  const path = ['f:spec', 'f:properties', `k:${JSON.stringify({ name: property })}`, 'f:desired', 'f:value']
  let latest: FieldWriter | undefined
  for (const entry of entries) {
    const writer = readEntry(entry, path)
    if (writer && (!latest || (writer.second ?? 0) >= (latest.second ?? 0))) latest = writer
  }
  return latest
}

function readEntry(entry: unknown, path: readonly string[]): FieldWriter | undefined {
  if (!isRecord(entry) || entry['subresource'] || !owns(entry['fieldsV1'], path)) return undefined
  const { manager, time } = entry
  if (typeof manager !== 'string' || manager === '') return undefined
  const second = typeof time === 'string' ? Date.parse(time) : Number.NaN
  return { manager, ...(Number.isFinite(second) ? { second } : {}) }
}

/** A field without fields below it is owned with everything below it. */
function owns(fields: unknown, [first, ...rest]: readonly string[]): boolean {
  if (first === undefined || !isRecord(fields)) return first === undefined
  if (Object.hasOwn(fields, first)) return Object.keys(Object(fields[first])).length === 0 || owns(fields[first], rest)
  return false
}
