import { type Clock, ms, seconds } from '../../../platform/time/index.ts'

/** How long, in all, one stream may hold up the others of its tunnel. */
const PATIENCE = seconds(2)
const LOOK_EVERY = ms(100)

/** A stream whose reader is slow. */
export interface Slow {
  cut(reason: string): void
}

export interface PressurePorts {
  readonly wire: { pause(): void; resume(): void }
  readonly clock: Clock
  /** All of the tunnel, the slow ones too. */
  streams(): number
}

/**
 * KubeEdge's frames have no credit: where a reader is slow, all that is left is to read no more from the node at all. That is fair
 * while the stream is alone; beside others it gets a little patience, and is cut then.
 */
export class Pressure implements Disposable {
  readonly #ports: PressurePorts
  /** With the milliseconds for which each has held up others. */
  readonly #spent = new WeakMap<Slow, number>()
  readonly #slow = new Set<Slow>()
  #timer: Disposable | undefined

  constructor(ports: PressurePorts) {
    this.#ports = ports
  }

  set(stream: Slow, isSlow: boolean): void {
    if (isSlow === this.#slow.has(stream)) return
    if (isSlow) this.#slow.add(stream)
    else this.#slow.delete(stream)
    const { wire } = this.#ports
    if (this.#slow.size === 0) {
      this[Symbol.dispose]()
      wire.resume()
    } else if (!this.#timer) {
      wire.pause()
      this.#look()
    }
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]()
    this.#timer = undefined
  }

  #look(): void {
    const { clock, streams } = this.#ports
    this.#timer = clock.after(LOOK_EVERY, () => {
      const slow = [...this.#slow]
      this.#look()
      for (const stream of slow) {
        if (streams() < 2) return
        const spent = (this.#spent.get(stream) ?? 0) + LOOK_EVERY.milliseconds
        this.#spent.set(stream, spent)
        if (spent >= PATIENCE.milliseconds)
          stream.cut('its reader was too slow, and held up the other streams of its node')
      }
    })
  }
}
