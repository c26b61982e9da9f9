import type { Duplex } from 'node:stream'
import type { Clock } from '../../../platform/time/index.ts'
import { StreamTunnel } from '../stream-tunnel.ts'
import type { TunnelWire } from '../turn-writer.ts'

export interface TunnelPairOptions {
  readonly clock: Clock
  readonly mostStreams?: number
  readonly window?: number
  readonly targets?: Readonly<Record<string, (stream: Duplex) => void>>
}

/** One direction: messages arrive a turn later, in their order, while it is not held. */
export class MemoryWire implements TunnelWire {
  readonly sent: Buffer[] = []
  bytes = 0
  isHeld = false
  readonly #waiting: { readonly message: Buffer; readonly taken: () => void }[] = []
  readonly #arrive: (message: Buffer) => void
  #isRunning = false

  constructor(arrive: (message: Buffer) => void) {
    this.#arrive = arrive
  }

  write(message: Buffer, taken: () => void): void {
    this.#waiting.push({ message, taken })
    void this.#run()
  }

  hold(): void {
    this.isHeld = true
  }

  release(): void {
    this.isHeld = false
    void this.#run()
  }

  async #run(): Promise<void> {
    if (this.#isRunning) return
    this.#isRunning = true
    await new Promise(setImmediate)
    for (let next = this.#next(); next; next = this.#next()) {
      this.sent.push(next.message)
      this.bytes += next.message.length
      next.taken()
      this.#arrive(next.message)
      await new Promise(setImmediate)
    }
    this.#isRunning = false
  }

  #next() {
    return this.isHeld ? undefined : this.#waiting.shift()
  }
}

/** Both ends of a tunnel between Skerry peers, in memory. */
export function tunnelPair({ clock, mostStreams, window, targets = {} }: TunnelPairOptions) {
  const breaches: string[] = []
  const down: MemoryWire = new MemoryWire((message) => edge.take(message))
  const up: MemoryWire = new MemoryWire((message) => cloud.take(message))
  const limits = { ...(mostStreams ? { mostStreams } : {}), ...(window ? { window } : {}) }
  const cloud: StreamTunnel = new StreamTunnel({
    ...{ clock, wire: down, ...limits },
    onBreach: (reason) => breaches.push(`cloud: ${reason}`),
  })
  const edge: StreamTunnel = new StreamTunnel({
    ...{ clock, wire: up, ...limits },
    onBreach: (reason) => breaches.push(`edge: ${reason}`),
    accept: (target, open) => {
      const handler = targets[target]
      handler?.(open())
      return handler !== undefined
    },
  })
  return { cloud, edge, up, down, breaches }
}
