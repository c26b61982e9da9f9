import { type CertificateLine, lineOf } from '../authority/node-certificate.ts'
import { isRecord } from '../kubernetes/guards.ts'

export interface Revocation {
  /** Unix ms, by the clock of the cloud half that wrote it. */
  readonly since: number
  /** The line of certificates that a join after the revocation has begun; every other one is refused. */
  readonly admits?: CertificateLine
}

/** What the API remembers of one node that has joined or registered. */
export interface NodeEntry {
  /** Unix ms: when the newest certificate was issued, and its end. Absent for a node that joined a KubeEdge cloud. */
  readonly issued?: number
  readonly expires?: number
  /** Its Node object was seen. When that is gone, somebody has deleted it; a node without it has not registered yet. */
  readonly registered?: boolean
  /** Of that Node: another one under its name is a successor. Absent where it was written by an older version. */
  readonly uid?: string
  readonly revoked?: Revocation
}

/** From JSON. What is damaged admits nobody. */
export function readNodeEntry(value: unknown): NodeEntry {
  const damaged = { revoked: { since: 0 } }
  if (!isRecord(value)) return damaged
  const { issued, expires, registered, uid, revoked } = value
  if (revoked !== undefined && !isRecord(revoked)) return damaged
  const since = revoked?.['since']
  const admits = revoked?.['admits']
  return {
    ...(typeof issued === 'number' ? { issued } : {}),
    ...(typeof expires === 'number' ? { expires } : {}),
    ...(registered === true ? { registered } : {}),
    ...(typeof uid === 'string' ? { uid } : {}),
    ...(revoked === undefined
      ? {}
      : {
          revoked: {
            since: typeof since === 'number' ? since : 0,
            ...(typeof admits === 'string' ? { admits } : {}),
          },
        }),
  }
}

export function isRefused({ revoked }: NodeEntry, serial: string): boolean {
  return revoked !== undefined && (revoked.admits === undefined || revoked.admits !== lineOf(serial))
}

/** Nobody is admitted any more. The moment of an earlier revocation stays where nobody was admitted after it. */
export function revokedAt(entry: NodeEntry, now: number): NodeEntry {
  const { revoked } = entry
  if (revoked && revoked.admits === undefined) return entry
  return { ...entry, revoked: { since: now } }
}

const FORGOTTEN_AFTER_MS = 400 * 24 * 3600 * 1000

/** No certificate of the node can be in use any more, and no Node bears its name. */
export function isForgettable({ registered, expires }: NodeEntry, now: number): boolean {
  return registered !== true && expires !== undefined && expires + FORGOTTEN_AFTER_MS < now
}
