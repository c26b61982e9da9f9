import { Backoff, type BackoffOptions, minutes, type Random } from '../../../platform/time/index.ts'
import { nextDue } from './orders.ts'
import { Peer } from './peer.ts'
import { Schedule } from './schedule.ts'
import type { ServedDevice, ServedProperty } from './served-device.ts'
import { SilenceBudget } from './silence-budget.ts'
import { Turns } from './turns.ts'
import type { Work, Works } from './works.ts'

/** One thing to do on a connection; never for two peers at once. */
export type Job =
  | { readonly kind: 'read'; readonly peer: Peer; readonly properties: readonly ServedProperty[] }
  | { readonly kind: 'orders'; readonly peer: Peer }
  | { readonly kind: 'gap'; readonly peer: Peer; readonly device: ServedDevice }
  | { readonly kind: 'probe'; readonly peer: Peer; readonly property: ServedProperty | undefined }
  | { readonly kind: 'work'; readonly peer: Peer | undefined; readonly work: Work }

export interface DispatchOptions {
  /** Where all cycles count from, and now; monotonic ms. */
  readonly epoch: number
  readonly now: number
  readonly random: Random
  /** Between two tries to reach a peer that is silent. */
  readonly probe: BackoffOptions
  readonly works: Works
  /** The protocol tells what was recorded during an outage. */
  hasHistory(): boolean
}

/** A peer that was not silent for so long has answered for long. */
const FORGIVEN_MS = 600_000
/** Calls that the connection has to survive before a peer is suspected no more. */
const FORGIVING = 10
const MOST_BLAME = minutes(2)

/**
 * What is to be done next on one line. Calls and orders go before reads, but never two of them in a row while reads wait, and
 * never two calls while orders wait. A peer that is silent is asked again after growing waits, within a budget of the line's time as long as others answer.
 */
export class Dispatch {
  readonly #options: DispatchOptions
  readonly #schedule: Schedule<ServedProperty>
  readonly #peers = new Map<string, Peer>()
  readonly #turns = new Turns()
  #budget: SilenceBudget
  /** Peers with orders to write, now or later. */
  readonly #ordering = new Set<Peer>()
  readonly #silent = new Set<Peer>()
  /** Peers so far. */
  #met = 0
  #wasUrgent = false
  /** Of the urgent ones, the last was a call. */
  #wasWork = false

  constructor(options: DispatchOptions) {
    this.#options = options
    this.#schedule = new Schedule(options.epoch)
    this.#budget = new SilenceBudget(options.now)
  }

  get peers(): number {
    return this.#peers.size
  }

  get areAllSilent(): boolean {
    return this.#silent.size > 0 && this.#silent.size === this.#peers.size
  }

  peerOf(device: ServedDevice): Peer | undefined {
    return this.#peers.get(device.plan.peer)
  }

  add(device: ServedDevice, now: number): void {
    const peer = this.peerOf(device) ?? new Peer(device.plan.peer, this.#met++)
    this.#peers.set(peer.key, peer)
    peer.devices.add(device)
    for (const property of device.properties) if (property.plan.isPolled) this.#schedule.add(property, now, peer.slot)
    this.#expectGap(peer, device)
    this.ordersChanged(device)
  }

  remove(device: ServedDevice): void {
    for (const property of device.properties) this.#schedule.remove(property)
    const peer = this.peerOf(device)
    if (!peer?.devices.delete(device)) return
    peer.gaps.delete(device)
    for (const { id } of device.properties) peer.due.delete(id)
    if (!peer.waits) this.#turns.remove(peer)
    this.#refreshOrders(peer)
    if (peer.devices.size > 0) return
    this.#silent.delete(peer)
    this.#peers.delete(peer.key)
  }

  ordersChanged(device: ServedDevice): void {
    const peer = this.peerOf(device)
    if (peer) this.#refreshOrders(peer)
  }

  /** A new connection: everybody is asked, told and read again. */
  renew(now: number): void {
    this.#silent.clear()
    this.#budget = new SilenceBudget(now)
    this.#schedule.refresh()
    this.#turns.clear()
    for (const peer of this.#peers.values()) {
      peer.silence = this.#suspicion(peer, now)
      if (peer.silence) this.#silent.add(peer)
      peer.wasSilent = Number.NEGATIVE_INFINITY
      peer.due.clear()
      peer.gaps.clear()
      for (const device of peer.devices) this.#expectGap(peer, device)
      this.#refreshOrders(peer)
    }
  }

  next(now: number): Job | undefined {
    this.#collect(now)
    const urgent = this.#wasUrgent && !this.#turns.isEmpty ? undefined : this.#urgent(now)
    this.#wasUrgent = urgent !== undefined
    return urgent ?? this.#probe(now) ?? this.#turn()
  }

  /** When there is something to do next, monotonic ms; undefined: when something changes. */
  nextAt(now: number): number | undefined {
    if (!this.#turns.isEmpty || !this.#options.works.isEmpty) return now
    let earliest = this.#schedule.next(now) ?? Number.POSITIVE_INFINITY
    for (const { ordersDue = now, silence } of this.#ordering) {
      if (!silence) earliest = Math.min(earliest, ordersDue)
    }
    for (const { silence } of this.#silent) if (silence) earliest = Math.min(earliest, this.#probeAt(silence, now))
    return Number.isFinite(earliest) ? earliest : undefined
  }

  /** A call for the peer took so long, ms. */
  charge(peer: Peer, cost: number): void {
    this.#turns.charge(peer, cost)
    if (peer.blame && ++peer.blame.survived >= FORGIVING) peer.blame = undefined
    this.#refreshOrders(peer)
  }

  /**
   * The connection was lost over a call for it. It may be the reason: on a new connection it waits, longer each time, and is
   * probed before it is read, so that its neighbours are not taken along again and again.
   */
  blame(peer: Peer, reason: string, now: number): void {
    if (this.#peers.size < 2 || this.#peers.get(peer.key) !== peer) return
    const { probe, random } = this.#options
    const backoff = peer.blame?.backoff ?? new Backoff({ ...probe, most: MOST_BLAME }, random)
    peer.blame = { reason, backoff, notBefore: now + backoff.next().milliseconds, survived: 0 }
  }

  /** It did not answer a call that took so long, ms. */
  silent(peer: Peer, reason: string, cost: number, now: number): void {
    // It may have left while it was waited for.
    if (this.#peers.get(peer.key) !== peer) return
    const { probe, random } = this.#options
    const backoff = peer.silence?.backoff ?? new Backoff(probe, random)
    const isFirst = !peer.silence && now - peer.wasSilent > FORGIVEN_MS
    peer.wasSilent = now
    peer.silence = { reason, backoff, notBefore: now + backoff.next().milliseconds }
    peer.due.clear()
    peer.gaps.clear()
    this.#turns.remove(peer)
    this.#silent.add(peer)
    if (!this.areAllSilent) this.#budget.spend(cost, now, isFirst)
  }

  /** It answers again: all of it is read and written at once. */
  returned(peer: Peer): void {
    peer.silence = undefined
    this.#silent.delete(peer)
    for (const device of peer.devices) {
      for (const property of device.properties) this.#schedule.refresh(property)
      this.#expectGap(peer, device)
    }
    this.#refreshOrders(peer)
  }

  #collect(now: number): void {
    let device: ServedDevice | undefined
    let peer: Peer | undefined
    for (const property of this.#schedule.take(now)) {
      // Properties of one device come one after the other, and there are tens of thousands.
      if (property.device !== device) {
        device = property.device
        peer = this.peerOf(device)
        if (peer && !peer.silence) this.#turns.add(peer)
      }
      if (peer && !peer.silence) peer.due.set(property.id, property)
    }
  }

  #urgent(now: number): Job | undefined {
    const peer = this.#ordered(now)
    const work = peer && this.#wasWork ? undefined : this.#options.works.next()
    this.#wasWork = work !== undefined
    if (work) return { kind: 'work', work, peer: this.#peerWith(work.device) }
    return peer && { kind: 'orders', peer }
  }

  #ordered(now: number): Peer | undefined {
    let best: Peer | undefined
    for (const peer of this.#ordering) {
      if (peer.silence || (peer.ordersDue ?? 0) > now) continue
      if (!best || peer.served < best.served) best = peer
    }
    return best
  }

  #probe(now: number): Job | undefined {
    let best: Peer | undefined
    for (const peer of this.#silent) {
      if (!peer.silence || this.#probeAt(peer.silence, now) > now) continue
      if (!best?.silence || peer.silence.notBefore < best.silence.notBefore) best = peer
    }
    return best && { kind: 'probe', peer: best, property: probeOf(best) }
  }

  #turn(): Job | undefined {
    const peer = this.#turns.next()
    if (!peer) return undefined
    const [device] = peer.gaps
    if (device) {
      peer.gaps.delete(device)
      if (peer.waits) this.#turns.add(peer)
      return { kind: 'gap', peer, device }
    }
    const properties = [...peer.due.values()]
    peer.due.clear()
    return { kind: 'read', peer, properties }
  }

  /** While nobody answers there is nobody to protect. */
  #probeAt({ notBefore }: { readonly notBefore: number }, now: number): number {
    return this.areAllSilent ? notBefore : Math.max(notBefore, this.#budget.allowedAt(now))
  }

  #suspicion({ blame }: Peer, now: number): Peer['silence'] {
    if (!blame || blame.notBefore <= now) return undefined
    const { probe, random } = this.#options
    return { reason: blame.reason, backoff: new Backoff(probe, random), notBefore: blame.notBefore }
  }

  #expectGap(peer: Peer, device: ServedDevice): void {
    if (!this.#options.hasHistory() || !device.hasGap || peer.silence) return
    peer.gaps.add(device)
    this.#turns.add(peer)
  }

  #refreshOrders(peer: Peer): void {
    peer.ordersDue = nextDue(peer.devices)
    if (peer.ordersDue === undefined) this.#ordering.delete(peer)
    else this.#ordering.add(peer)
  }

  #peerWith(id: string): Peer | undefined {
    for (const peer of this.#peers.values()) for (const device of peer.devices) if (device.id === id) return peer
    return undefined
  }
}

/** One visit tells whether a peer is there; one that could be read before can be read again. */
function probeOf(peer: Peer): ServedProperty | undefined {
  let any: ServedProperty | undefined
  for (const { properties } of peer.devices) {
    for (const property of properties) {
      if (property.last && property.failed === undefined) return property
      any ??= property
    }
  }
  return any
}
