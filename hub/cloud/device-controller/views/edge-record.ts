import type { DeviceStatus } from '../../../../schemas/index.ts'

/** On a DeviceStatus: what of its edge's telling it holds. */
export const EDGE_ANNOTATION = 'skerry.dev/edge'

/** How far a Skerry edge's telling of one device has come. */
export interface EdgeRecord {
  /** Identity of the edge's database. */
  readonly epoch: string
  /** Revision of the twin. */
  readonly twin: number
  /** Revision of the twin whose state it is. */
  readonly state: number
  /** See `refusalsDigest`. */
  readonly refusals: string
}

const FORM = /^(\S{1,100}) (\d{1,15}) (\d{1,15}) ([0-9a-f]{8}|-)$/

/** What the API holds; nothing for an original edge. */
export function readRecord(status: DeviceStatus | undefined): EdgeRecord | undefined {
  const [, epoch, twin, state, refusals] = FORM.exec(status?.metadata.annotations?.[EDGE_ANNOTATION] ?? '') ?? []
  if (epoch === undefined || refusals === undefined) return undefined
  return { epoch, twin: Number(twin), state: Number(state), refusals: refusals === '-' ? '' : refusals }
}

/** Undefined where it cannot be written, so that nothing else is believed later. */
export function recordText({ epoch, twin, state, refusals }: EdgeRecord): string | undefined {
  const text = `${epoch} ${twin} ${state} ${refusals === '' ? '-' : refusals}`
  return FORM.test(text) ? text : undefined
}
