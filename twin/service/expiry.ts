import { type Clock, ms } from '../../platform/time/index.ts'
import type { DeviceId, Reported, Twin } from '../../schemas/index.ts'
import { DueHeap } from './due-heap.ts'

/** Properties of one device whose time to live is over. */
export type OnDue = (id: DeviceId, names: readonly string[]) => void

/** Wakings are so far apart at least, so that values that fall due one by one share commits. */
const GAP_MS = 20
/** Values that are looked at in one turn of the event loop. */
const BATCH = 5000
/** Before a change that could not be stored is tried again. */
const RETRY_MS = 5000
/** Entries of the heap that count no more are taken out when they are so many and the greater part. */
const MOST_DEAD = 1000

interface Entry {
  readonly id: DeviceId
  readonly name: string
  readonly timeToLive: number
  /** Monotonic ms of the last reading that confirmed the value. */
  confirmed: number
  /** Alarm in the heap, if any: the time for which it was put, not moved by confirmations. */
  alarm: Alarm | undefined
  phase: 'fresh' | 'expiring' | 'stale'
}

interface Alarm {
  readonly at: number
  /** Undefined: counts no more. */
  entry: Entry | undefined
}

interface Watched {
  readonly uid: string
  readonly entries: Map<string, Entry>
}

/**
 * The age of every value that has a time to live. A confirmation is one number in memory and no write to disk; only a value
 * that becomes stale is told. One timer for all, none where nothing has a time to live. Runs on monotonic time: a jump of the
 * wall clock makes nothing older or younger. The wall clock counts over a restart alone.
 */
export class Expiry implements Disposable {
  readonly #clock: Clock
  readonly #onDue: OnDue
  readonly #devices = new Map<DeviceId, Watched>()
  readonly #alarms = new DueHeap<Alarm>()
  #dead = 0
  #isOver = false
  #timer: { readonly at: number; readonly handle: Disposable } | undefined

  constructor(clock: Clock, onDue: OnDue) {
    this.#clock = clock
    this.#onDue = onDue
  }

  /** Devices with values that are watched. */
  get watched(): readonly DeviceId[] {
    return [...this.#devices.keys()]
  }

  /** Values that wait for their time to end, with those that wait in vain. */
  get alarms(): number {
    return this.#alarms.size
  }

  /** The twin is so on disk now; undefined: it is gone. */
  follow(id: DeviceId, twin: Twin | undefined): void {
    const known = this.#devices.get(id)
    if (!known && !hasTimeToLive(twin)) return
    const isSame = known !== undefined && known.uid === twin?.uid
    const before = isSame ? known.entries : undefined
    const entries = new Map<string, Entry>()
    for (const [name, { timeToLive, reported }] of Object.entries(twin?.properties ?? {})) {
      if (timeToLive === undefined || !reported) continue
      const old = before?.get(name)
      const entry = old?.timeToLive === timeToLive ? old : this.#watch(id, name, timeToLive, old, reported)
      entries.set(name, entry)
      if (reported.stale) entry.phase = 'stale'
      else if (entry.phase === 'stale') entry.phase = 'fresh'
      this.#set(entry)
    }
    for (const [name, entry] of known?.entries ?? []) if (entries.get(name) !== entry) this.#forget(entry)
    if (twin && entries.size > 0) this.#devices.set(id, { uid: twin.uid, entries })
    else this.#devices.delete(id)
    this.#arm()
  }

  /** These were read right now. */
  confirm(id: DeviceId, names: readonly string[]): void {
    const entries = this.#devices.get(id)?.entries
    if (!entries) return
    const now = this.#clock.monotonic()
    for (const name of names) {
      const entry = entries.get(name)
      if (entry) entry.confirmed = now
    }
  }

  /** Of these, the ones that nothing has confirmed meanwhile, each with the Unix ms at which its time to live ended. */
  overdue(id: DeviceId, names: readonly string[]): ReadonlyMap<string, number> {
    const due = new Map<string, number>()
    const now = this.#clock.monotonic()
    for (const name of names) {
      const entry = this.#devices.get(id)?.entries.get(name)
      if (entry && dueOf(entry) <= now) due.set(name, this.#wall(dueOf(entry)))
    }
    return due
  }

  /** What was due has been dealt with, or could not be stored and is due again after a wait. */
  settle(id: DeviceId, names: readonly string[], isStored: boolean): void {
    for (const name of names) {
      const entry = this.#devices.get(id)?.entries.get(name)
      if (entry?.phase !== 'expiring') continue
      entry.phase = 'fresh'
      this.#set(entry, isStored ? 0 : this.#clock.monotonic() + RETRY_MS)
    }
    this.#arm()
  }

  /** Unix ms of the last confirmation; undefined for what is not watched. */
  confirmedAt(id: DeviceId, name: string): number | undefined {
    const entry = this.#devices.get(id)?.entries.get(name)
    return entry && this.#wall(entry.confirmed)
  }

  /** Nothing falls due any more; what is known of confirmations stays. */
  [Symbol.dispose](): void {
    this.#timer?.handle[Symbol.dispose]()
    this.#isOver = true
  }

  #watch(id: DeviceId, name: string, timeToLive: number, old: Entry | undefined, reported: Reported): Entry {
    const confirmed = old?.confirmed ?? this.#clock.monotonic() - this.#ageOf(reported, timeToLive)
    return { id, name, timeToLive, confirmed, alarm: undefined, phase: 'fresh' }
  }

  /** A time that is ahead of the clock by more than the time to live proves nothing: the clock was set back over the restart. */
  #ageOf({ confirmed, timestamp }: Reported, timeToLive: number): number {
    const age = this.#clock.now() - (confirmed ?? timestamp)
    return age < -timeToLive ? timeToLive : Math.max(0, age)
  }

  #wall(monotonic: number): number {
    return Math.round(this.#clock.now() - (this.#clock.monotonic() - monotonic))
  }

  #set(entry: Entry, notBefore = 0): void {
    if (entry.phase !== 'fresh' || entry.alarm) return
    entry.alarm = { at: Math.max(dueOf(entry), notBefore), entry }
    this.#alarms.put(entry.alarm)
  }

  #forget(entry: Entry): void {
    if (!entry.alarm) return
    entry.alarm.entry = undefined
    entry.alarm = undefined
    this.#dead++
    if (this.#dead < MOST_DEAD || this.#dead * 2 < this.#alarms.size) return
    this.#alarms.retain((alarm) => alarm.entry !== undefined)
    this.#dead = 0
  }

  #arm(): void {
    const next = this.#alarms.peek()
    if (this.#timer && next && this.#timer.at <= next.at) return
    this.#timer?.handle[Symbol.dispose]()
    this.#timer = undefined
    if (!next || this.#isOver) return
    const wait = Math.max(GAP_MS, next.at - this.#clock.monotonic())
    const at = this.#clock.monotonic() + wait
    this.#timer = { at, handle: this.#clock.after(ms(wait), () => this.#wake()) }
  }

  #wake(): void {
    this.#timer = undefined
    const now = this.#clock.monotonic()
    const due = new Map<DeviceId, string[]>()
    for (let count = 0; count < BATCH && (this.#alarms.peek()?.at ?? Number.POSITIVE_INFINITY) <= now; count++) {
      const entry = this.#alarms.take()?.entry
      if (!entry) {
        this.#dead--
        continue
      }
      entry.alarm = undefined
      if (dueOf(entry) > now) this.#set(entry)
      else if (entry.phase === 'fresh') {
        entry.phase = 'expiring'
        const names = due.get(entry.id) ?? []
        due.set(entry.id, names)
        names.push(entry.name)
      }
    }
    this.#arm()
    for (const [id, names] of due) this.#onDue(id, names)
  }
}

function dueOf({ confirmed, timeToLive }: Entry): number {
  return confirmed + timeToLive
}

/** Asked with each commit of each twin. */
function hasTimeToLive(twin: Twin | undefined): boolean {
  for (const name in twin?.properties) if (twin.properties[name]?.timeToLive !== undefined) return true
  return false
}
