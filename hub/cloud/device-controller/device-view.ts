import type { Device, DeviceStatus, Frame } from '../../../schemas/index.ts'
import type { NodePeer } from '../cloudhub/delivery.ts'
import type { Refusal } from './edge-verdict.ts'
import type { DeviceReport } from './reports.ts'
import { applySync, readConflicts, type TwinView, viewOfStatus } from './twin-view.ts'

/** A report that the API has not taken yet. */
export interface Unconfirmed {
  readonly frame: Frame
  reply(answer: Frame): void
}

/** Reports waiting for one device; more would only repeat the same state, and the edge sends them again. */
const UNCONFIRMED_BOUND = 64

/** What the cloud knows of one incarnation of a device: begins with what the API holds, follows the reports of its node. */
export class DeviceView {
  readonly uid: string
  twins: TwinView
  state: string | undefined
  stateReason: string | undefined
  stateCode: string | undefined
  lastOnlineTime: string | undefined
  refusals: { readonly generation: number; readonly list: readonly Refusal[] } | undefined
  hasReported: boolean
  /** Conflicts that were told, by id, also where the API has no record of that yet. */
  told: ReadonlySet<string>
  #unconfirmed: Unconfirmed[] = []
  #revision: { readonly epoch: string; readonly revision: number } | undefined

  constructor(device: Device, status: DeviceStatus | undefined) {
    this.uid = device.metadata.uid ?? ''
    this.twins = viewOfStatus(device, status)
    this.state = status?.status?.state
    this.lastOnlineTime = status?.status?.lastOnlineTime ?? device.status?.lastOnlineTime
    this.hasReported = this.twins.size > 0
    this.told = new Set(readConflicts(device).map(({ id }) => id))
  }

  /** Takes a report; false when it is about another incarnation of the device, which is not confirmed. */
  take(report: DeviceReport, peer: NodePeer, unconfirmed: Unconfirmed): boolean {
    if (report.kind === 'state') {
      this.state = report.sync.device.state.toLowerCase()
      this.stateReason = report.sync.skerry?.reason
      this.stateCode = report.sync.skerry?.code
      this.lastOnlineTime = report.sync.device.lastOnlineTime ?? this.lastOnlineTime
    } else if (!this.#takeTwin(report.sync, peer)) {
      return false
    }
    this.#unconfirmed.push(unconfirmed)
    if (this.#unconfirmed.length > UNCONFIRMED_BOUND) this.#unconfirmed.shift()
    return true
  }

  get unconfirmed(): readonly Unconfirmed[] {
    return this.#unconfirmed
  }

  /** Those among the unconfirmed that the API took now. */
  confirmed(taken: readonly Unconfirmed[]): void {
    this.#unconfirmed = this.#unconfirmed.filter((entry) => !taken.includes(entry))
  }

  #takeTwin(sync: Extract<DeviceReport, { kind: 'twin' }>['sync'], peer: NodePeer): boolean {
    const { skerry } = sync
    if (skerry) {
      if (skerry.uid !== this.uid) return false
      const before = this.#revision
      // An older state of the same database changes nothing, and is confirmed: what it says is outdated.
      if (before && before.epoch === peer.epoch && skerry.revision < before.revision) return true
      this.#revision = { epoch: peer.epoch, revision: skerry.revision }
      this.refusals = { generation: skerry.generation, list: skerry.refusals ?? [] }
    }
    this.twins = applySync(this.twins, sync)
    this.hasReported = true
    return true
  }
}
