import { type Clock, type Duration, ms, seconds } from '../../../time/index.ts'
import type { Session } from './session.ts'

/** Called when a message may be followed by the next. */
export type Done = () => void

export interface PacingOptions {
  readonly clock: Clock
  /** How long a publisher waits for one client that does not keep up. */
  readonly patience?: Duration
  /** A client whose socket takes nothing for so long is given up. */
  readonly stalledAfter?: Duration
  readonly onStalled: (session: Session) => void
}

/**
 * A publisher is paced by the clients that get its messages, but one that stalls holds it once, for `patience`, until it has
 * caught up.
 */
export class Pacing implements Disposable {
  readonly #clock: Clock
  readonly #patience: Duration
  readonly #stalledAfter: Duration
  readonly #onStalled: (session: Session) => void
  readonly #jams = new Map<Session, Jam>()
  #timer: Disposable | undefined

  constructor({ clock, patience = ms(250), stalledAfter = seconds(30), onStalled }: PacingOptions) {
    this.#clock = clock
    this.#patience = patience
    this.#stalledAfter = stalledAfter
    this.#onStalled = onStalled
  }

  /** Calls `done` once those that cannot keep up have room again, at once if there are none. */
  pace(jammed: readonly Session[], done: Done): void {
    let open = 1
    const settle = () => {
      if (--open === 0) done()
    }
    for (const session of jammed) {
      const jam = this.#jamOf(session)
      if (jam.isLate) continue
      open++
      jam.waiting.push(settle)
    }
    settle()
  }

  /** Settles when a client that cannot keep up has room again or is gone, however long that takes. */
  whenClear(session: Session): Promise<void> {
    return new Promise((resolve) => this.#jamOf(session).patient.push(resolve))
  }

  /** The client has room again, or is gone. */
  clear(session: Session): void {
    const jam = this.#jams.get(session)
    if (!jam) return
    this.#jams.delete(session)
    letGo(jam)
    for (const settle of jam.patient) settle()
    if (this.#jams.size === 0) this.#stop()
  }

  [Symbol.dispose](): void {
    for (const session of [...this.#jams.keys()]) this.clear(session)
  }

  #jamOf(session: Session): Jam {
    const found = this.#jams.get(session)
    if (found) return found
    const made: Jam = { since: this.#clock.monotonic(), isLate: false, waiting: [], patient: [] }
    this.#jams.set(session, made)
    this.#timer ??= this.#clock.after(this.#patience, () => this.#look())
    return made
  }

  #look(): void {
    this.#timer = undefined
    const now = this.#clock.monotonic()
    for (const [session, jam] of [...this.#jams]) {
      if (!session.client) {
        this.clear(session)
        continue
      }
      if (now - jam.since >= this.#patience.milliseconds) {
        jam.isLate = true
        letGo(jam)
      }
      if (now - jam.since < this.#stalledAfter.milliseconds || !isBlocked(session)) continue
      this.#onStalled(session)
      this.clear(session)
    }
    if (this.#jams.size > 0) this.#timer ??= this.#clock.after(this.#patience, () => this.#look())
  }

  #stop(): void {
    this.#timer?.[Symbol.dispose]()
    this.#timer = undefined
  }
}

interface Jam {
  readonly since: number
  isLate: boolean
  waiting: (() => void)[]
  readonly patient: (() => void)[]
}

function letGo(jam: Jam): void {
  const waiting = jam.waiting
  jam.waiting = []
  for (const settle of waiting) settle()
}

function isBlocked({ client }: Session): boolean {
  return client?.conn.writableNeedDrain === true
}
