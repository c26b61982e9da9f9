/** Parts of a line are joined when there are so many: one costs more than its letters. */
const MOST_PARTS = 4096

/** Lines of a text that comes in pieces. What is looked at again is not what is kept: a long line takes time in its length alone. */
export class Lines {
  readonly #longest: number
  #parts: string[] = []
  #length = 0

  /** Of a line, in UTF-16 units. */
  constructor(longest: number) {
    this.#longest = longest
  }

  /** What has come of the line that has no end yet. */
  get rest(): string {
    return this.#parts.join('')
  }

  /** Lines that are whole with this piece. Throws where one is too long. */
  take(piece: string): readonly string[] {
    const end = piece.lastIndexOf('\n')
    if (end === -1) {
      this.#keep(piece)
      return []
    }
    const lines = `${this.rest}${piece.slice(0, end)}`.split('\n')
    this.#parts = []
    this.#length = 0
    this.#keep(piece.slice(end + 1))
    return lines
  }

  #keep(part: string): void {
    this.#length += part.length
    if (this.#length > this.#longest) throw new Error(`a watch event is larger than ${this.#longest} letters`)
    this.#parts.push(part)
    if (this.#parts.length >= MOST_PARTS) this.#parts = [this.rest]
  }
}
