/** Resource of the query with which an edge says what it believes confirmed (source twin, group resource). */
export const DIGEST_RESOURCE = 'device/digest'

/** Most devices in one query. */
export const DIGEST_BOUND = 500

/** Content of the query, under `skerry`; only between Skerry peers (SKERRY_HEADER). */
export interface TwinDigest {
  readonly devices: readonly ConfirmedDevice[]
}

/** What the cloud has confirmed of one device, as the edge remembers it. */
export interface ConfirmedDevice {
  /** `<namespace>/<name>`. */
  readonly id: string
  /** metadata.uid of the Device. */
  readonly uid: string
  /** Revision of the last confirmed twin; 0: none. */
  readonly twin: number
  /** Revision of the twin with the last confirmed state; 0: none. */
  readonly state: number
  /** See `refusalsDigest`. */
  readonly refusals: string
}

/** Content of the answer, under `skerry`: devices whose record in the cloud is older or missing. */
export interface TwinDigestAnswer {
  readonly missing: readonly string[]
}

interface Refused {
  readonly pointer: string
  readonly message: string
  readonly warning?: boolean | undefined
}

/** Short text that differs, in all likelihood, where the refusals of a device differ; empty where there are none. */
export function refusalsDigest(refusals: readonly Refused[]): string {
  if (refusals.length === 0) return ''
  const text = JSON.stringify(
    refusals.map(({ pointer, message, warning }) => [pointer, message, warning === true ? 1 : 0]),
  )
  return fnv1a(text).toString(16).padStart(8, '0')
}

/** FNV-1a, 32 bits, over UTF-16 code units. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return hash >>> 0
}
