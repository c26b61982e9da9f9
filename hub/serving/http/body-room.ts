import type { IncomingHttpHeaders } from 'node:http'
import { tooManyRequests } from '../../kube/status.ts'

/** Bytes of a body that is read whatever else is read. */
const SMALL = 64 * 1024
/** Of all larger bodies that are read at the same time. */
const MOST = 128 * 1024 * 1024

/** Room for the bodies that are read at the same time: they stand in memory until the last byte of each has come. */
export class BodyRoom {
  readonly #largest: number
  readonly #most: number
  #taken = 0

  /** `largest`: of one body, in bytes. */
  constructor(largest: number, most = MOST) {
    this.#largest = largest
    this.#most = most
  }

  /** Reads one. Throws a Status where too much is being read already. */
  async read<T>(headers: IncomingHttpHeaders, work: () => Promise<T>): Promise<T> {
    const size = this.#sizeOf(headers)
    if (size > SMALL && this.#taken + size > this.#most) {
      throw tooManyRequests('too many large requests are being read, please try again later')
    }
    this.#taken += size
    try {
      return await work()
    } finally {
      this.#taken -= size
    }
  }

  /** Who does not say how long it is may send as much as anybody. */
  #sizeOf(headers: IncomingHttpHeaders): number {
    const said = headers['content-length']
    if (said === undefined) return headers['transfer-encoding'] === undefined ? 0 : this.#largest
    return Math.min(Number(said) || 0, this.#largest)
  }
}
