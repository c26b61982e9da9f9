import { type Device, type DeviceStatus, type Frame, refusalsDigest } from '../../../../schemas/index.ts'
import type { NodePeer } from '../../cloudhub/delivery.ts'
import type { Refusal } from '../conditions/edge-verdict.ts'
import type { DeviceReport } from '../reports/reports.ts'
import { type EdgeRecord, readRecord } from './edge-record.ts'
import { applySync, isMirrorBehind, readConflicts, type TwinView, viewOfStatus } from './twin-view.ts'

/** A report that the API has not taken yet. */
export interface Unconfirmed {
  /** Once it is taken, without its content. */
  readonly frame: Frame
  reply(answer: Frame): void
}

/** Reports waiting for one device; more would only repeat the same state, and the edge sends them again. */
const UNCONFIRMED_BOUND = 64
/** Properties that the device does not have and that are kept all the same: its node may be ahead of what is known here. */
const STRANGERS_BOUND = 100
/** More refusals of one device would be told nowhere. */
const REFUSALS_BOUND = 100

/**
 * Reports of an outdated session that are passed over. An edge that says more has this session alone: it says again what is not
 * confirmed no sooner than after 20 s, and who wrote the other record may have been a process that is no more.
 */
const MOST_UNHEARD = 5

/** What became of a report; only what is taken is confirmed, once the API holds it. */
export type Taken = 'taken' | 'other-incarnation' | 'old-session'

/** What the cloud knows of one incarnation of a device: begins with what the API holds, follows the reports of its node. */
export class DeviceView {
  readonly uid: string
  twins: TwinView = new Map()
  state: string | undefined
  stateReason: string | undefined
  stateCode: string | undefined
  lastOnlineTime: string | undefined
  refusals: { readonly generation: number; readonly list: readonly Refusal[] } | undefined
  hasReported = false
  /** Conflicts that were told, by id, also where the API has no record of that yet. */
  told: ReadonlySet<string> = new Set()
  /** How far the edge's telling has come; absent for an original edge. */
  record: EdgeRecord | undefined
  #unconfirmed: Unconfirmed[] = []
  /** The DeviceStatus that this view began with, or that was last written from it. */
  #base: DeviceStatus | undefined
  /** Version of the Device that this view began with. */
  #deviceVersion: string | undefined
  /** It holds what was reported here, not only what the API showed. */
  #hasTaken = false
  /** Given to the API last; its answer may have been lost. */
  #given: EdgeRecord | undefined
  /** Of the reports taken last. */
  #session: string | undefined
  /** A session whose edge has gone on with another database elsewhere, and how often it was not heard since. */
  #outdated: { readonly session: string | undefined; unheard: number } | undefined

  constructor(device: Device, status: DeviceStatus | undefined) {
    this.uid = device.metadata.uid ?? ''
    this.#begin(device, status)
  }

  /**
   * Goes on from what the API shows where somebody else has written it who knew more: one who holds a later session of the node.
   * Nothing that was confirmed is lost by that, and what was not, the edge says again. A view that has taken no report knows
   * nothing by itself: it may have begun with what was old, and always goes on from what is there.
   */
  follow(device: Device, status: DeviceStatus | undefined, isServedHere: boolean): void {
    this.#letGoOfStrangers(device)
    const isSameStatus = status?.metadata.resourceVersion === this.#base?.metadata.resourceVersion
    if (!this.#hasTaken) {
      if (!isSameStatus || device.metadata.resourceVersion !== this.#deviceVersion) this.#begin(device, status)
      return
    }
    if (!status || isSameStatus) return
    const shown = readRecord(status)
    const { record } = this
    const isOther = shown !== undefined && record !== undefined && shown.epoch !== record.epoch
    const isAhead = shown && record && !isOther && (shown.twin > record.twin || shown.state > record.state)
    const isOwn = isSameRecord(shown, readRecord(this.#base)) || isSameRecord(shown, this.#given)
    const hasMoved = isOther && isLater(status, this.#base) && !isOwn
    if (isServedHere && !isAhead && !hasMoved) return
    if (isServedHere && hasMoved) this.#outdated = { session: this.#session, unheard: 0 }
    this.#unconfirmed = []
    this.#begin(device, status)
  }

  /** The API is given what this view says. */
  writes(): void {
    this.#given = this.record
  }

  /** The API took what this view says. */
  wrote(status: DeviceStatus): void {
    this.#base = status
  }

  /** Takes a report of the node that the device is on. */
  take(report: DeviceReport, peer: NodePeer, unconfirmed: Unconfirmed): Taken {
    if (this.#outdated && this.#outdated.session === peer.session && ++this.#outdated.unheard <= MOST_UNHEARD)
      return 'old-session'
    const { skerry } = report.sync
    if (skerry?.uid !== undefined && skerry.uid !== this.uid) return 'other-incarnation'
    this.#session = peer.session
    this.#hasTaken = true
    if (report.kind === 'state') this.#takeState(report.sync, peer)
    else this.#takeTwin(report.sync, peer)
    const { frame, reply } = unconfirmed
    this.#unconfirmed.push({ frame: { ...frame, content: null }, reply })
    if (this.#unconfirmed.length > UNCONFIRMED_BOUND) this.#unconfirmed.shift()
    return 'taken'
  }

  /** All that is said of the device follows from these, each of which is replaced where it changes. */
  get parts(): readonly unknown[] {
    const { twins, state, stateReason, stateCode, lastOnlineTime, refusals, hasReported, told, record } = this
    return [twins, state, stateReason, stateCode, lastOnlineTime, refusals, hasReported, told, record]
  }

  get unconfirmed(): readonly Unconfirmed[] {
    return this.#unconfirmed
  }

  /** All reports so far are in the API. */
  confirmed(): void {
    this.#unconfirmed = []
  }

  #begin(device: Device, status: DeviceStatus | undefined): void {
    this.#base = status
    this.#deviceVersion = device.metadata.resourceVersion
    this.#hasTaken = false
    this.twins = viewOfStatus(device, status)
    this.state = status?.status?.state
    this.stateReason = undefined
    this.stateCode = undefined
    this.lastOnlineTime = status?.status?.lastOnlineTime ?? device.status?.lastOnlineTime
    this.refusals = undefined
    this.hasReported = this.twins.size > 0
    this.told = new Set(readConflicts(device).map(({ id }) => id))
    // Who wrote a desired value stands on the Device alone: what it does not show yet has to be told again.
    this.record = isMirrorBehind(device, status) ? undefined : readRecord(status)
  }

  /** An older state of the same database changes nothing, and is confirmed: what it says is outdated. */
  #takeState(sync: Extract<DeviceReport, { kind: 'state' }>['sync'], peer: NodePeer): void {
    const revision = sync.skerry?.revision
    if (revision !== undefined) {
      const record = this.#recordFor(peer)
      if (revision < record.state) return
      this.record = { ...record, state: revision }
    }
    this.#setState({ ...sync.skerry, state: sync.device.state })
    this.lastOnlineTime = sync.device.lastOnlineTime ?? this.lastOnlineTime
  }

  #takeTwin(sync: Extract<DeviceReport, { kind: 'twin' }>['sync'], peer: NodePeer): void {
    const { skerry } = sync
    if (skerry) {
      const record = this.#recordFor(peer)
      if (skerry.revision < record.twin) return
      const list = skerry.refusals ?? []
      this.record = { ...record, twin: skerry.revision, refusals: refusalsDigest(list) }
      this.refusals = { generation: skerry.generation, list: gravestFirst(list).slice(0, REFUSALS_BOUND) }
      if (skerry.state && skerry.revision >= this.record.state) {
        this.record = { ...this.record, state: skerry.revision }
        this.#setState(skerry.state)
      }
    }
    this.twins = applySync(this.twins, sync)
    this.hasReported = true
  }

  #setState({
    state,
    reason,
    code,
  }: {
    readonly state: string
    readonly reason?: string
    readonly code?: string
  }): void {
    this.state = state.toLowerCase()
    this.stateReason = reason
    this.stateCode = code
  }

  /** A node may name as many properties as it likes. */
  #letGoOfStrangers({ spec: { properties = [] } }: Device): void {
    if (this.twins.size <= properties.length + STRANGERS_BOUND) return
    const known = new Set(properties.map(({ name }) => name))
    const strangers = [...this.twins.keys()].filter((name) => !known.has(name))
    const gone = new Set(strangers.slice(0, -STRANGERS_BOUND))
    this.twins = new Map([...this.twins].filter(([name]) => !gone.has(name)))
  }

  /** Another database begins anew: its revisions may be smaller. */
  #recordFor({ epoch }: NodePeer): EdgeRecord {
    return this.record?.epoch === epoch ? this.record : { epoch, twin: 0, state: 0, refusals: '' }
  }
}

function gravestFirst(list: readonly Refusal[]): readonly Refusal[] {
  return [...list.filter(({ warning }) => !warning), ...list.filter(({ warning }) => warning)]
}

function isSameRecord(a: EdgeRecord | undefined, b: EdgeRecord | undefined): boolean {
  return a?.epoch === b?.epoch && a?.twin === b?.twin && a?.state === b?.state
}

/** An API that went back to a backup shows older versions; what cannot be compared counts as later. */
function isLater(status: DeviceStatus, base: DeviceStatus | undefined): boolean {
  const [now, before] = [status.metadata.resourceVersion ?? '', base?.metadata.resourceVersion ?? '']
  return !/^\d+$/.test(now) || !/^\d+$/.test(before) || BigInt(now) > BigInt(before)
}
