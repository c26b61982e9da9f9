import type { AssignedDevice, Frame, Json, Twin } from '../../../schemas/index.ts'
import { adopt } from '../../../twin/model/adopt.ts'
import { applyUpdate, TWIN_LIMITS } from '../../../twin/model/update.ts'
import { metaChangeOf, supersedes } from '../../edge/meta/meta-change.ts'
import type { MetaRow } from '../../edge/meta/meta-store.ts'
import { parseAssigned, parseDeviceModel } from '../../edge/meta/parse-device.ts'
import { toJson, twinMark, twinRoute, twinSync } from '../../edge/twins/twin-frames.ts'
import type { NodePeer } from '../cloudhub/delivery.ts'
import type { Hub } from '../cloudhub/hub.ts'
import type { Session } from '../cloudhub/session.ts'

const ID = 'default/pump-1'
const DEVICE = 'default/device/pump-1'
const MODEL = 'default/devicemodel/pump'

export interface SimulatedEdgeOptions {
  /** Unix ms by the clock of the edge. */
  readonly now: () => number
  /** Told of each change of the twin by what the cloud has assigned. */
  readonly onAdopted: (before: Twin | undefined, after: Twin, assigned: AssignedDevice) => void
}

/** How frames are carried: the wire may cut, delay and, where a frame is sent again, repeat and overtake. */
export interface Carrying {
  readonly count: number
  readonly isTwice: boolean
  readonly isReversed: boolean
}

/**
 * The edge with its real rules and an unreal disk, link and time: each step between a frame and its effect happens when a test
 * says so, and a restart keeps only what would be on disk.
 */
export class SimulatedEdge {
  twin: Twin | undefined
  readonly #options: SimulatedEdgeOptions
  readonly #disk = new Map<string, MetaRow>()
  /** What the cloud has confirmed of the twin. */
  #mark = ''
  #sent: { readonly id: string; readonly mark: string } | undefined
  #hub: Hub | undefined
  #session: Session | undefined
  #sessions = 0
  #frames = 0
  #down: Frame[] = []
  #up: Frame[] = []

  constructor(options: SimulatedEdgeOptions) {
    this.#options = options
  }

  get isConnected(): boolean {
    return this.#session !== undefined
  }

  /** Nothing is under way, and the cloud has confirmed everything. */
  get isAtRest(): boolean {
    const all = this.#down.length + this.#up.length === 0
    return all && this.twin !== undefined && this.#mark === twinMark(this.twin, true)
  }

  connect(hub: Hub): void {
    this.cut()
    const peer: NodePeer = { node: 'edge-1', skerry: true, epoch: 'db-1', session: `sim-${++this.#sessions}` }
    let isOpen = true
    const session = hub.connect(peer, {
      send: async (frame) => void (isOpen && this.#down.push(frame)),
      close: () => {
        isOpen = false
        if (this.#session === session) this.#forgetLink()
      },
    })
    this.#hub = hub
    this.#session = session
  }

  cut(): void {
    const session = this.#session
    this.#forgetLink()
    if (session) this.#hub?.disconnect(session, 'cut')
  }

  /** Everything that is not on disk is gone. */
  restart(): void {
    this.cut()
  }

  keepAlive(): void {
    this.#say({ operation: 'keepalive' }, null)
    this.carryUp({ count: 99, isTwice: false, isReversed: false })
  }

  /** A client sets a desired value; it holds at once. Undefined where the twin does not take it. */
  wish(property: string, value: string, author: string): Twin | undefined {
    if (!this.twin?.properties[property]) return undefined
    const update = { eventId: '', twin: new Map([[property, { expected: value }]]), author }
    const updated = applyUpdate(this.twin, update, TWIN_LIMITS, this.#options.now())
    if (!updated.ok) return undefined
    this.twin = updated.twin
    return updated.twin
  }

  /** DeviceTwin looks at what MetaManager has stored. */
  adopt(): void {
    const row = this.#disk.get(DEVICE)
    const given = row && parseAssigned(row.value)
    if (!given) return
    const model = parseDeviceModel(this.#disk.get(MODEL)?.value ?? '')
    const assigned = model ? { ...given, model } : given
    const before = this.twin
    this.twin = adopt(before, assigned, this.#options.now())
    this.#options.onAdopted(before, this.twin, assigned)
  }

  /** EdgeHub sends the twin, unless one is under way. */
  report(): void {
    if (!this.twin || !this.#session || this.#sent) return
    const mark = twinMark(this.twin, true)
    if (mark === this.#mark) return
    const sync = twinSync(this.twin, [], true, { eventId: 'e', now: Math.trunc(this.#options.now()) })
    const id = this.#say(twinRoute(ID), toJson(sync))
    this.#sent = { id, mark }
  }

  carryDown(carrying: Carrying): void {
    for (const frame of taken(this.#down, carrying)) this.#receive(frame)
  }

  carryUp(carrying: Carrying): void {
    for (const frame of taken(this.#up, carrying)) if (this.#session) this.#hub?.receive(this.#session, frame)
  }

  #receive(frame: Frame): void {
    if (frame.header.parent_msg_id !== undefined) {
      if (frame.header.parent_msg_id !== this.#sent?.id) return
      this.#mark = this.#sent.mark
      this.#sent = undefined
      return
    }
    if (frame.route.group !== 'resource') return
    const change = metaChangeOf(frame)
    if (change.kind === 'put' && supersedes(this.#disk.get(change.row.key), change.row)) {
      this.#disk.set(change.row.key, change.row)
    }
    this.#say({ ...frame.route, operation: 'response' }, 'OK', frame.header.msg_id)
  }

  #say(route: Frame['route'], content: Json, parent?: string): string {
    const id = `edge-${++this.#frames}`
    const header = { msg_id: id, timestamp: 1, ...(parent === undefined ? {} : { parent_msg_id: parent }) }
    if (this.#session) this.#up.push({ header, route, content })
    return id
  }

  #forgetLink(): void {
    this.#session = undefined
    this.#sent = undefined
    this.#down = []
    this.#up = []
  }
}

function taken(queue: Frame[], { count, isTwice, isReversed }: Carrying): readonly Frame[] {
  const frames = queue.splice(0, count)
  if (isTwice) frames.push(...frames)
  return isReversed ? frames.reverse() : frames
}
