import type { MapperContext, Report } from '../contract/index.ts'
import type { SerialDevice } from './device-config.ts'
import type { MatchedVisit } from './exchanges.ts'
import type { Line } from './line.ts'

export interface WatchOptions {
  readonly line: Line
  readonly clock: MapperContext['clock']
  readonly report: (each: MatchedVisit, payload: Buffer) => void
  readonly presence: Report['presence']
}

/** Tells the frames that one device sends by itself, and whether it still sends any. */
export class Watch implements Disposable {
  readonly #visits: readonly MatchedVisit[]
  readonly #options: WatchOptions
  readonly #listening: Disposable
  readonly #over = new AbortController()
  #frames = 0

  constructor(visits: readonly MatchedVisit[], device: SerialDevice, options: WatchOptions) {
    this.#visits = visits
    this.#options = options
    this.#listening = options.line.listen(device.framing, (payload) => this.#take(payload))
    if (device.idleTimeout > 0) void this.#look(device.idleTimeout)
  }

  [Symbol.dispose](): void {
    this.#over.abort()
    this.#listening[Symbol.dispose]()
  }

  /** Never keeps a frame: another device on the line may be meant too. */
  #take(payload: Buffer): false {
    const mine = this.#visits.filter((each) => each.matches(payload))
    if (mine.length === 0) return false
    this.#frames++
    this.#options.presence?.('here')
    for (const each of mine) this.#options.report(each, payload)
    return false
  }

  /** In steps, so that a device is missed soon after `idle`; and by no time of day, which may be set meanwhile. */
  async #look(idle: number): Promise<void> {
    const { clock, presence } = this.#options
    for (let quiet = 0; ; quiet++) {
      if (quiet === STEPS) presence?.('away', `the device has sent nothing for ${idle} ms`)
      const before = this.#frames
      try {
        await clock.sleep(idle / STEPS, this.#over.signal)
      } catch {
        return
      }
      if (this.#frames !== before) quiet = -1
    }
  }
}

const STEPS = 10
