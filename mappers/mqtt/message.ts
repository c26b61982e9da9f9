import { parseJson } from '../payload/index.ts'

/** One message as it came. What several properties need of it is made once. */
export class Message {
  readonly topic: string
  readonly bytes: Uint8Array
  /** The broker had kept it: nobody knows since when. */
  readonly isRetained: boolean
  /** Unix ms. */
  readonly receivedAt: number
  #text: string | undefined
  #json: { readonly value: unknown } | undefined

  constructor(topic: string, bytes: Uint8Array, isRetained: boolean, receivedAt: number) {
    this.topic = topic
    this.bytes = bytes
    this.isRetained = isRetained
    this.receivedAt = receivedAt
  }

  /** Throws for bytes that are no UTF-8. */
  get text(): string {
    if (this.#text === undefined) {
      try {
        this.#text = new TextDecoder('utf-8', { fatal: true }).decode(this.bytes)
      } catch (cause) {
        throw new Error(`the message on ${this.topic} is no UTF-8 text`, { cause })
      }
    }
    return this.#text
  }

  /** Throws for a text that is no JSON. Integers beyond 2^53 are bigints. */
  get json(): unknown {
    if (!this.#json) {
      try {
        this.#json = { value: parseJson(this.text) }
      } catch (cause) {
        throw new Error(`the message on ${this.topic} is no JSON: ${excerpt(this.bytes)}`, { cause })
      }
    }
    return this.#json.value
  }
}

/** The start of a payload for a person to read. */
export function excerpt(bytes: Uint8Array): string {
  const start = new TextDecoder().decode(bytes.subarray(0, 60)).replaceAll(/\p{C}/gu, '?')
  return `"${start}"${bytes.length > 60 ? '...' : ''}`
}
