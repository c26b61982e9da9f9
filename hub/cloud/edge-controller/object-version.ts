import { createHash } from 'node:crypto'
import type { KubeObject } from '../../../schemas/index.ts'

/** Metadata that changes without meaning: it must not have the object sent again. */
const SILENT: ReadonlySet<string> = new Set(['resourceVersion', 'managedFields', 'generation', 'selfLink'])

const known = new WeakMap<KubeObject, string>()

/** Version of what somebody wants of an object: its metadata and spec. Reports of status leave it as it is. */
export function wantedVersion(object: KubeObject & { readonly spec?: object }): string {
  const present = known.get(object)
  if (present !== undefined) return present
  const metadata = Object.entries(object.metadata).filter(([key]) => !SILENT.has(key))
  const text = JSON.stringify([sorted(Object.fromEntries(metadata)), sorted(object.spec ?? {})])
  const version = `w${createHash('sha256').update(text).digest('hex').slice(0, 16)}`
  known.set(object, version)
  return version
}

/** API servers write the keys of a map in any order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, each]) => [key, sorted(each)]))
}
