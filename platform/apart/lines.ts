/** One of several lines that share a channel between two processes; used like a MessagePort. */
export interface Line {
  postMessage(message: unknown): void
  on(event: 'message', listener: (message: unknown) => void): unknown
  on(event: 'close', listener: () => void): unknown
  close(): void
}

/** What goes over the channel. */
export type Envelope =
  | { readonly line: string; readonly message: unknown }
  | { readonly line: string; readonly closed: true }

/** What arrives before somebody listens. */
const MOST_EARLY = 1024
const MOST_LINES = 32

/** The lines at one end of a channel, by name. What arrives before somebody listens waits, within a bound. */
export class Lines {
  readonly #send: (envelope: Envelope) => void
  readonly #lines = new Map<string, NamedLine>()

  constructor(send: (envelope: Envelope) => void) {
    this.#send = send
  }

  line(name: string): Line {
    return this.#named(name)
  }

  receive(envelope: unknown): void {
    if (!isEnvelope(envelope)) return
    if (!this.#lines.has(envelope.line) && this.#lines.size >= MOST_LINES) return
    const line = this.#named(envelope.line)
    if ('closed' in envelope) line.end()
    else line.take(envelope.message)
  }

  /** The channel is gone. */
  end(): void {
    for (const line of this.#lines.values()) line.end()
  }

  #named(name: string): NamedLine {
    const found = this.#lines.get(name)
    if (found) return found
    const made = new NamedLine(name, this.#send)
    this.#lines.set(name, made)
    return made
  }
}

class NamedLine implements Line {
  readonly #name: string
  readonly #send: (envelope: Envelope) => void
  readonly #onMessage: ((message: unknown) => void)[] = []
  readonly #onClose: (() => void)[] = []
  #early: unknown[] = []
  #closed = false

  constructor(name: string, send: (envelope: Envelope) => void) {
    this.#name = name
    this.#send = send
  }

  postMessage(message: unknown): void {
    if (!this.#closed) this.#send({ line: this.#name, message })
  }

  on(event: 'message' | 'close', listener: (message: unknown) => void): void {
    if (event === 'close') {
      this.#onClose.push(() => listener(undefined))
      return
    }
    this.#onMessage.push(listener)
    const early = this.#early
    this.#early = []
    for (const message of early) this.take(message)
  }

  close(): void {
    if (this.#closed) return
    this.#send({ line: this.#name, closed: true })
    this.end()
  }

  take(message: unknown): void {
    if (this.#closed) return
    if (this.#onMessage.length === 0 && this.#early.length < MOST_EARLY) this.#early.push(message)
    for (const listener of this.#onMessage) listener(message)
  }

  end(): void {
    if (this.#closed) return
    this.#closed = true
    this.#early = []
    for (const listener of this.#onClose) listener()
  }
}

function isEnvelope(value: unknown): value is Envelope {
  return typeof value === 'object' && value !== null && 'line' in value && typeof value.line === 'string'
}
