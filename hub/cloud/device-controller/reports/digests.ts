import type { Logger } from '../../../../platform/log/index.ts'
import {
  type ConfirmedDevice,
  DIGEST_BOUND,
  DIGEST_RESOURCE,
  type Frame,
  GROUPS,
  type Json,
  MODULES,
} from '../../../../schemas/index.ts'
import type { FrameFactory } from '../../../link/index.ts'
import type { NodePeer, Upstream } from '../../cloudhub/delivery.ts'
import { isRecord, parseJson } from '../../kubernetes/guards.ts'
import type { DeviceViews } from '../views/device-views.ts'
import type { EdgeRecord } from '../views/edge-record.ts'
import type { ReportIntake } from './report-intake.ts'

export interface DigestsPorts {
  readonly views: DeviceViews
  readonly intake: ReportIntake
  readonly frames: FrameFactory
  readonly log: Logger
}

/** Tells an edge what of that which it believes confirmed the API does not hold, because it went back to a backup, say. */
export class Digests {
  readonly #ports: DigestsPorts
  /** Asked before the API was listed, the last of each node: an edge asks one after the other, and again without an answer. */
  readonly #waiting = new Map<string, Upstream>()
  #isReady = false

  constructor(ports: DigestsPorts) {
    this.#ports = ports
  }

  /** All objects are listed: what is not known now, the API does not hold. */
  ready(): void {
    this.#isReady = true
    for (const upstream of this.#waiting.values()) this.#answer(upstream)
    this.#waiting.clear()
  }

  /** False for a frame that is no such question. */
  take(upstream: Upstream): boolean {
    if (upstream.frame.route.resource !== DIGEST_RESOURCE) return false
    if (this.#isReady) this.#answer(upstream)
    else this.#waiting.set(upstream.peer.node, upstream)
    return true
  }

  #answer({ peer, frame, reply }: Upstream): void {
    const { frames, log } = this.#ports
    const devices = parseDigest(frame)
    if (!devices)
      return void reply(frames.refuse(frame, `skerry.devices has to be a list of at most ${DIGEST_BOUND} devices`))
    const missing = devices.filter((device) => this.#isMissing(peer, device)).map(({ id }) => id)
    if (missing.length > 0) {
      log.warn('The API lacks what an edge has told of its devices: it is asked for it again', {
        ...{ node: peer.node, devices: missing.length },
      })
    }
    const route = { source: MODULES.deviceController, group: GROUPS.twin, resource: DIGEST_RESOURCE }
    reply(frames.reply(frame, { skerry: { missing } }, route))
  }

  #isMissing(peer: NodePeer, told: ConfirmedDevice): boolean {
    const device = this.#ports.intake.deviceOf(peer, told.id, told.uid)
    if (typeof device === 'string') return false
    if (device.metadata.uid !== told.uid) {
      // The edge has yet to learn that it is another one now.
      this.#ports.intake.evict(peer, told.id, told.uid)
      return false
    }
    return isBehind(this.#ports.views.of(device).record, told, peer.epoch)
  }
}

function isBehind(record: EdgeRecord | undefined, told: ConfirmedDevice, epoch: string): boolean {
  if (record?.epoch !== epoch || record.twin < told.twin || record.state < told.state) return true
  return record.twin === told.twin && record.refusals !== told.refusals
}

function parseDigest({ content }: Frame): readonly ConfirmedDevice[] | undefined {
  const body: unknown = typeof content === 'string' ? parseJson(content) : content
  const skerry = isRecord(body) ? body['skerry'] : undefined
  const devices = isRecord(skerry) ? skerry['devices'] : undefined
  if (!Array.isArray(devices) || devices.length > DIGEST_BOUND) return undefined
  return devices.flatMap((device: Json) => parseDevice(device) ?? [])
}

function parseDevice(device: Json): ConfirmedDevice | undefined {
  if (!isRecord(device)) return undefined
  const { id, uid, twin, state, refusals } = device
  if (typeof id !== 'string' || typeof uid !== 'string' || typeof twin !== 'number' || typeof state !== 'number')
    return undefined
  return { id, uid, twin, state, refusals: typeof refusals === 'string' ? refusals : '' }
}
