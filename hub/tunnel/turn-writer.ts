/** Where whole messages go. */
export interface TunnelWire {
  /** `taken` is called when the kernel has the message, or the connection is gone. */
  write(message: Buffer, taken: () => void): void
}

/** Whoever has data for the wire. */
export interface Sender {
  /** The next message; undefined: none for now. */
  next(): Buffer | undefined
}

/** Bytes under way to the kernel: few, so that what is typed does not wait behind what is downloaded. */
const MOST_UNDER_WAY = 64 * 1024
/** What a peer can make this end say while it does not read. */
const MOST_CONTROL = 4096

/** Lets all streams of a tunnel take turns, one message each; what concerns the streams themselves goes first. */
export class TurnWriter {
  readonly #wire: TunnelWire
  readonly #onFlood: () => void
  readonly #control: Buffer[] = []
  readonly #ready = new Set<Sender>()
  #underWay = 0
  #isPumping = false

  constructor(wire: TunnelWire, onFlood: () => void) {
    this.#wire = wire
    this.#onFlood = onFlood
  }

  /** Goes before all data. */
  control(message: Buffer): void {
    if (this.#control.length >= MOST_CONTROL) this.#onFlood()
    else {
      this.#control.push(message)
      this.#pump()
    }
  }

  /** The sender has something; it is asked until it has nothing more. */
  ready(sender: Sender): void {
    this.#ready.add(sender)
    this.#pump()
  }

  forget(sender: Sender): void {
    this.#ready.delete(sender)
  }

  /** A sender may call back while it is asked. */
  #pump(): void {
    if (this.#isPumping) return
    this.#isPumping = true
    while (this.#underWay < MOST_UNDER_WAY) {
      const message = this.#control.shift() ?? this.#nextInTurn()
      if (!message) break
      this.#underWay += message.length
      this.#wire.write(message, () => {
        this.#underWay -= message.length
        this.#pump()
      })
    }
    this.#isPumping = false
  }

  #nextInTurn(): Buffer | undefined {
    for (const sender of this.#ready) {
      this.#ready.delete(sender)
      const message = sender.next()
      if (!message) continue
      this.#ready.add(sender)
      return message
    }
    return undefined
  }
}
