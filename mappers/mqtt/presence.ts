import type { Report } from '../contract/index.ts'
import { followPointer } from '../payload/index.ts'
import type { DeviceConfig } from './config.ts'
import { excerpt, type Message } from './message.ts'

/** Whether a device is there: by its own word or its last will, by how long it has been silent, and by answers that did not come. */
export class Presence {
  readonly #device: DeviceConfig
  readonly #tell: NonNullable<Report['presence']>
  #word: 'here' | 'away' | undefined
  #wordReason = ''
  /** Why it is taken for gone, until it says anything. */
  #silence: string | undefined
  #told: string | undefined
  /** How often it has said anything that the broker had not kept. */
  words = 0

  constructor(device: DeviceConfig, tell: NonNullable<Report['presence']>) {
    this.#device = device
    this.#tell = tell
  }

  /** Why it is away, or nothing. */
  get away(): string | undefined {
    return this.#word === 'away' ? this.#wordReason : this.#silence
  }

  /** Something came from it that was not kept by the broker. */
  heard(): void {
    this.words++
    if (this.#silence === undefined) return
    this.#silence = undefined
    this.#say()
  }

  /** A message on its availability topic. True when it has come back. */
  take(message: Message): boolean {
    const word = this.#wordOf(message)
    if (word === undefined) return false
    const before = this.#word
    this.#word = word
    this.#wordReason = `the device is offline: ${excerpt(message.bytes)} on ${message.topic}`
    if (word === 'here' && !message.isRetained) {
      this.words++
      this.#silence = undefined
    }
    this.#say()
    return word === 'here' && before !== 'here'
  }

  /** Nothing came for too long, or no answer. A device that says it is there is believed about answers. */
  miss(reason: string, isSilence: boolean): void {
    if (!isSilence && this.#word === 'here') return
    this.#silence = reason
    this.#say()
  }

  #say(): void {
    const now = this.away ?? 'here'
    if (now === this.#told) return
    this.#told = now
    if (this.away === undefined) this.#tell('here')
    else this.#tell('away', this.away)
  }

  #wordOf(message: Message): 'here' | 'away' | undefined {
    const { availability } = this.#device
    if (!availability) return undefined
    try {
      const found =
        availability.pointer === undefined ? message.text : followPointer(message.json, availability.pointer)
      if (typeof found === 'object') return undefined
      const word = String(found).trim()
      if (word === availability.online) return 'here'
      return word === availability.offline ? 'away' : undefined
    } catch {
      return undefined
    }
  }
}
