import { type Counter, type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import {
  type Frame,
  GROUPS,
  type HeldObject,
  MODULES,
  OBJECT_DIGEST_BOUND,
  OBJECT_DIGEST_RESOURCE,
  type ObjectDigest,
} from '../../../schemas/index.ts'
import type { FrameFactory } from '../../link/index.ts'
import { isRecord, parseJson } from '../kubernetes/guards.ts'
import type { KnownObjects } from './holdings.ts'
import type { Session } from './session.ts'
import type { SyncRecords } from './sync-records.ts'

export interface ObjectDigestsPorts {
  readonly records: SyncRecords
  readonly frames: FrameFactory
  readonly log: Logger
  readonly metrics?: Metrics
  /** See KnownObjects. */
  readonly isGiven: KnownObjects['isGiven']
  readonly unrecorded: KnownObjects['unrecorded']
}

/** Longest text of an object that is read. */
const LONGEST_TEXT = 512

/** What Skerry edges say after each connect that they hold, a part after the other, each answered when it has been compared. */
export class ObjectDigests {
  readonly #ports: ObjectDigestsPorts
  readonly #differences: Counter
  /** The last part that came: an edge asks one after the other, and again without an answer. */
  readonly #waiting = new WeakMap<Session, { readonly frame: Frame; readonly digest: ObjectDigest }>()

  constructor(ports: ObjectDigestsPorts) {
    this.#ports = ports
    this.#differences = (ports.metrics ?? silentMetrics).counter({
      name: 'skerry_cloudhub_digest_differences_total',
      help: 'Objects of which a node had another version than its record said, or which had none.',
    })
  }

  /** False for a frame that is no such question. */
  take(session: Session, frame: Frame): boolean {
    const { source, resource } = frame.route
    if (source !== MODULES.metaManager || resource !== OBJECT_DIGEST_RESOURCE || !session.peer.skerry) return false
    const digest = parseObjectDigest(frame)
    if (digest) this.#waiting.set(session, { frame, digest })
    else session.notify(this.#ports.frames.refuse(frame, EXPECTED, ROUTE))
    return true
  }

  /** Compares what waits, now that all records are known. True where the node has to be looked at again, as after its last word. */
  compare(session: Session): boolean {
    const waiting = this.#waiting.get(session)
    if (!waiting) return false
    this.#waiting.delete(session)
    const { records, frames, log, isGiven, unrecorded } = this.#ports
    const { peer, holdings, outbox } = session
    const pending = (uid: string) => outbox.pending(uid)
    const known = { records: records.of(peer.node), pending, isGiven, unrecorded }
    const differences = holdings.compare(waiting.digest, known)
    session.notify(frames.reply(waiting.frame, 'OK', ROUTE))
    if (differences === 0) return holdings.isComplete
    this.#differences.add(differences)
    log.warn('A node holds other objects than it acknowledged: they are sent again, or deleted there', {
      ...{ node: peer.node, objects: differences },
    })
    return true
  }
}

const ROUTE = { source: MODULES.cloudHub, group: GROUPS.resource }
const EXPECTED = `skerry.objects has to be a list of at most ${OBJECT_DIGEST_BOUND} objects, each with resource, uid and version`

function parseObjectDigest({ content }: Frame): ObjectDigest | undefined {
  const body: unknown = typeof content === 'string' ? parseJson(content) : content
  const skerry = isRecord(body) ? body['skerry'] : undefined
  if (!isRecord(skerry) || !Array.isArray(skerry['objects'])) return undefined
  const given: readonly unknown[] = skerry['objects']
  if (given.length > OBJECT_DIGEST_BOUND) return undefined
  const objects = given.flatMap((each) => parseHeld(each) ?? [])
  return objects.length === given.length ? { objects, isLast: skerry['isLast'] === true } : undefined
}

function parseHeld(value: unknown): HeldObject | undefined {
  if (!isRecord(value)) return undefined
  const { resource, uid, version } = value
  return isText(resource) && isText(uid) && isText(version) ? { resource, uid, version } : undefined
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= LONGEST_TEXT
}
