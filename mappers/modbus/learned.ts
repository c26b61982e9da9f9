import { layoutOf } from './layout.ts'
import { type ModbusVisit, placeOf } from './visit.ts'

/** What a plan has to respect beside the limits of the device. */
export interface Lessons {
  /** A request that begins before this visit must not reach it: the device refused one that did. */
  isCut(place: string): boolean
  /** Why the place is not asked for just now, or undefined. */
  failureOf(place: string): Error | undefined
  /** The place is asked for by itself, to see whether it has become good. */
  isOnProbation(place: string): boolean
}

interface BadPlace {
  readonly error: Error
  readonly waitMs: number
  readonly retryAt: number
}

const FIRST_WAIT_MS = 10_000
const LONGEST_WAIT_MS = 300_000
/** More are only reached when devices are changed again and again; then it is learned anew. */
const MOST_PLACES = 20_000

export const noLessons: Lessons = {
  isCut: () => false,
  failureOf: () => undefined,
  isOnProbation: () => false,
}

/** What has been learned about the devices behind one connection since it was made. */
export class Learned implements Lessons {
  readonly #now: () => number
  readonly #cuts = new Set<string>()
  readonly #bad = new Map<string, BadPlace>()
  #cutsEver = 0

  /** `now` in ms. */
  constructor(now: () => number) {
    this.#now = now
  }

  /** Changes whenever plans do; undefined while they change with time. */
  get version(): number | undefined {
    return this.#bad.size > 0 ? undefined : this.#cutsEver
  }

  isCut(place: string): boolean {
    return this.#cuts.has(place)
  }

  failureOf(place: string): Error | undefined {
    const bad = this.#bad.get(place)
    if (!bad) return undefined
    // A clock that was set back must not keep a register away for hours.
    const isDue = this.#now() >= bad.retryAt || bad.retryAt - this.#now() > LONGEST_WAIT_MS
    return isDue ? undefined : bad.error
  }

  isOnProbation(place: string): boolean {
    return this.#bad.has(place)
  }

  cut(place: string): void {
    if (this.#cuts.size >= MOST_PLACES) this.#cuts.clear()
    this.#cuts.add(place)
    this.#cutsEver++
  }

  /** Asked for by itself, the place was refused; it is asked again after growing waits. */
  refused(place: string, error: Error): void {
    const waitMs = Math.min(LONGEST_WAIT_MS, (this.#bad.get(place)?.waitMs ?? FIRST_WAIT_MS / 2) * 2)
    if (this.#bad.size >= MOST_PLACES) this.#bad.clear()
    this.#bad.set(place, { error, waitMs, retryAt: this.#now() + waitMs })
  }

  good(place: string): void {
    this.#bad.delete(place)
  }

  /** Who took a value may well be read. */
  written(visit: ModbusVisit): void {
    const found = this.#bad.size > 0 ? layoutOf(visit.property, visit.visitor) : undefined
    if (found?.ok) this.good(placeOf(visit, found.layout.length))
  }
}
