import type { Duplex } from 'node:stream'
import type { TunnelTarget, TunnelTargets } from '../../tunnel/index.ts'

/** What is served through the tunnel just now. */
export class Targets implements TunnelTargets {
  readonly #handlers = new Map<string, (stream: Duplex) => void>()

  serve(target: TunnelTarget, handler: (stream: Duplex) => void): Disposable {
    this.#handlers.set(target, handler)
    return {
      [Symbol.dispose]: () => {
        if (this.#handlers.get(target) === handler) this.#handlers.delete(target)
      },
    }
  }

  handler(target: string): ((stream: Duplex) => void) | undefined {
    return this.#handlers.get(target)
  }
}
