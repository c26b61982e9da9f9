import { type Clock, ms } from '../../../platform/time/index.ts'
import type { Frame } from '../../../schemas/index.ts'

export interface NoticesOptions {
  readonly clock: Clock
  /** Towards an original edge, which drops the oldest of more than 100 frames that wait. */
  readonly isPaced: boolean
  /** Settles when the socket took the frame; never rejects. */
  write(frame: Frame): Promise<void>
  onDrop(cause: 'notices-full' | 'notices-bytes'): void
}

const MOST = 1000
const MOST_BYTES = 8 * 1024 * 1024
const BURST = 50
const PER_SECOND = 100

/** Frames of one session that go down once and without receipt: bounded in number and bytes, one in the socket at a time. */
export class Notices implements Disposable {
  readonly #options: NoticesOptions
  readonly #queue: { readonly frame: Frame; readonly bytes: number }[] = []
  readonly #over = new AbortController()
  #bytes = 0
  #tokens = BURST
  #filledAt: number
  #writing = false

  constructor(options: NoticesOptions) {
    this.#options = options
    this.#filledAt = options.clock.monotonic()
  }

  get depth(): number {
    return this.#queue.length
  }

  /** False where it was dropped. */
  put(frame: Frame): boolean {
    if (this.#over.signal.aborted) return false
    const bytes = sizeOf(frame)
    const cause = this.#excess(bytes)
    if (cause) {
      this.#options.onDrop(cause)
      return false
    }
    this.#queue.push({ frame, bytes })
    this.#bytes += bytes
    if (!this.#writing) void this.#drain()
    return true
  }

  /** True where it still waited; then it never goes. */
  withdraw(frame: Frame): boolean {
    const at = this.#queue.findIndex((each) => each.frame === frame)
    if (at < 0) return false
    const [withdrawn] = this.#queue.splice(at, 1)
    this.#bytes -= withdrawn?.bytes ?? 0
    return true
  }

  [Symbol.dispose](): void {
    this.#over.abort()
    this.#queue.length = 0
    this.#bytes = 0
  }

  #excess(bytes: number): 'notices-full' | 'notices-bytes' | undefined {
    if (this.#queue.length >= MOST) return 'notices-full'
    // One that is larger than the bound goes where nothing else waits.
    return this.#bytes > 0 && this.#bytes + bytes > MOST_BYTES ? 'notices-bytes' : undefined
  }

  async #drain(): Promise<void> {
    this.#writing = true
    for (let first = this.#queue.shift(); first; first = this.#queue.shift()) {
      await this.#options.write(first.frame)
      this.#bytes = Math.max(0, this.#bytes - first.bytes)
      if (this.#options.isPaced) await this.#pace()
    }
    this.#writing = false
  }

  async #pace(): Promise<void> {
    const { clock } = this.#options
    const now = clock.monotonic()
    this.#tokens = Math.min(BURST, this.#tokens + ((now - this.#filledAt) / 1000) * PER_SECOND) - 1
    this.#filledAt = now
    if (this.#tokens >= 0) return
    await clock.sleep(ms((-this.#tokens / PER_SECOND) * 1000), this.#over.signal).catch(() => undefined)
  }
}

/** About what it takes in memory and on the wire. */
function sizeOf({ route, content }: Frame): number {
  const text = typeof content === 'string' ? content.length : JSON.stringify(content).length
  return 200 + (route.resource?.length ?? 0) + text
}
