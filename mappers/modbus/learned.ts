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

interface Lesson {
  /** ms. */
  readonly wait: number
  /** Until then it holds; Unix ms. */
  readonly until: number
}
interface BadPlace extends Lesson {
  readonly error: Error
}

/** ms. A bad place costs one request each time that it is tried again. */
const BAD = { first: 10_000, longest: 300_000 }
/** ms. A cut that is tried again costs a whole halving, but one that a passing failure made must not stay for ever. */
const CUT = { first: 60_000, longest: 3_600_000 }
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
  readonly #cuts = new Map<string, Lesson>()
  readonly #bad = new Map<string, BadPlace>()
  #version = 0
  /** When the version was asked for last, and when the next lesson is over; undefined when that has to be looked up. */
  #asked = Number.NEGATIVE_INFINITY
  #until: number | undefined

  /** `now` in ms. */
  constructor(now: () => number) {
    this.#now = now
  }

  /** Another number whenever plans become others, also by the passing of time. */
  get version(): number {
    const now = this.#now()
    // A clock that was set back must not keep a register away for hours.
    if (this.#until !== undefined && (now >= this.#until || now < this.#asked)) this.#changed()
    this.#until ??= this.#nextEnd(now)
    this.#asked = now
    return this.#version
  }

  isCut(place: string): boolean {
    return holds(this.#cuts.get(place), this.#now())
  }

  failureOf(place: string): Error | undefined {
    const bad = this.#bad.get(place)
    return holds(bad, this.#now()) ? bad?.error : undefined
  }

  isOnProbation(place: string): boolean {
    return this.#bad.has(place)
  }

  /** What lies before the place cannot be read together with it; that is tried again after growing waits. */
  cut(place: string): void {
    this.#learn(this.#cuts, place, lesson(this.#cuts.get(place), CUT, this.#now()))
  }

  /** Asked for by itself, the place was refused; it is asked again after growing waits. */
  refused(place: string, error: Error): void {
    this.#learn(this.#bad, place, { ...lesson(this.#bad.get(place), BAD, this.#now()), error })
  }

  good(place: string): void {
    if (this.#bad.delete(place)) this.#changed()
  }

  /** Who took a value may well be read. */
  written(visit: ModbusVisit): void {
    const found = this.#bad.size > 0 ? layoutOf(visit.property, visit.visitor) : undefined
    if (found?.ok) this.good(placeOf(visit, found.layout.length))
  }

  #learn<T extends Lesson>(lessons: Map<string, T>, place: string, learned: T): void {
    if (lessons.size >= MOST_PLACES) lessons.clear()
    lessons.set(place, learned)
    this.#changed()
  }

  #changed(): void {
    this.#version++
    this.#until = undefined
  }

  #nextEnd(now: number): number {
    let next = Number.POSITIVE_INFINITY
    for (const lessons of [this.#cuts, this.#bad]) {
      for (const each of lessons.values()) if (holds(each, now)) next = Math.min(next, each.until)
    }
    return next
  }
}

/** The same lesson once more holds twice as long. */
function lesson(before: Lesson | undefined, { first, longest }: typeof BAD, now: number): Lesson {
  const wait = Math.min(longest, before ? before.wait * 2 : first)
  return { wait, until: now + wait }
}

function holds(learned: Lesson | undefined, now: number): boolean {
  return learned !== undefined && now < learned.until && learned.until - now <= learned.wait
}
