import { openContent, unstuff } from './content.ts'
import type { FrameRules } from './framing.ts'

/** What a line has carried so far. */
export interface FrameCounts {
  frames: number
  /** Frames with a wrong checksum, a broken escape, too long, or broken off. */
  badFrames: number
  /** Bytes that belong to no frame. */
  skippedBytes: number
}

/** What looking at bytes again may cost, in bytes: for each one that is passed over, and saved up. */
const LOOKS_PER_BYTE = 64
const MOST_LOOKS = 1_048_576

/**
 * Finds the frames in a stream, however it is cut. A bad frame is dropped and counted, and the search goes on right behind
 * where it began; where garbage looks like the beginning of frames all the time, behind where it ended, so that the search
 * stays linear. Never holds more than one frame.
 */
export class FrameDecoder {
  readonly #rules: FrameRules
  readonly counts: FrameCounts
  #rest: Buffer = Buffer.alloc(0)
  /** The frame under way is too long: its rest is not kept. */
  #isSkipping = false
  #looks = MOST_LOOKS

  constructor(rules: FrameRules, counts: FrameCounts = { frames: 0, badFrames: 0, skippedBytes: 0 }) {
    this.#rules = rules
    this.counts = counts
  }

  /** Payloads of the frames that end in these bytes, without markers and checksum. */
  push(bytes: Buffer): readonly Buffer[] {
    const found: Buffer[] = []
    // In pieces, so that what is kept has a bound whatever comes at once.
    const piece = this.#rules.maxLength + 16
    for (let at = 0; at < bytes.length; at += piece) {
      const next = bytes.subarray(at, at + piece)
      this.#rest = this.#rest.length === 0 ? next : Buffer.concat([this.#rest, next])
      this.#scan(found)
    }
    // Not a view of what the line reads into again.
    this.#rest = Buffer.from(this.#rest)
    return found
  }

  /** There was a pause of `silence`. */
  pause(): readonly Buffer[] {
    const content = this.#rest
    const wasSkipping = this.#isSkipping
    this.reset()
    if (content.length === 0 && !wasSkipping) return []
    if (this.#rules.kind !== 'silence' || wasSkipping || content.length > this.#rules.maxLength) {
      this.counts.badFrames++
      return []
    }
    const payload = this.#open(content)
    return payload ? [payload] : []
  }

  /** Whether a frame has begun. */
  get isMidFrame(): boolean {
    return this.#rest.length > 0 || this.#isSkipping
  }

  /** Forgets what has begun. */
  reset(): void {
    this.#rest = Buffer.alloc(0)
    this.#isSkipping = false
  }

  #scan(found: Buffer[]): void {
    for (;;) {
      const before = this.#rest.length
      const payload = this.#next()
      if (payload) found.push(payload)
      else if (this.#rest.length === before) return
    }
  }

  /** Takes one frame, or some garbage, off the rest. */
  #next(): Buffer | undefined {
    if (this.#rest.length === 0) return undefined
    switch (this.#rules.kind) {
      case 'delimiter':
        return this.#untilDelimiter()
      case 'fixed':
        return this.#counted(() => this.#rules.length)
      case 'length':
        return this.#counted((at) => this.#lengthAt(at))
      case 'markers':
        return this.#betweenMarkers()
      case 'silence':
        return this.#untilPause()
    }
  }

  #untilDelimiter(): Buffer | undefined {
    const { end, maxLength } = this.#rules
    const at = this.#rest.indexOf(end)
    if (at < 0) {
      // A piece of a delimiter may be the last of it.
      if (this.#isSkipping || this.#rest.length >= maxLength + end.length) {
        this.#isSkipping = true
        this.#skip(Math.max(0, this.#rest.length - end.length + 1))
      }
      return undefined
    }
    const content = this.#rest.subarray(0, at)
    const isTooLong = this.#isSkipping || content.length > maxLength
    this.#isSkipping = false
    this.#take(at + end.length)
    if (isTooLong) this.counts.badFrames++
    // Blank lines are no frames.
    return isTooLong || content.length === 0 ? undefined : this.#open(content)
  }

  #untilPause(): undefined {
    if (this.#rest.length <= this.#rules.maxLength && !this.#isSkipping) return
    this.#isSkipping = true
    this.#skip(this.#rest.length)
  }

  /** `lengthOf` gives the length of the content that begins there, undefined before that is known, NaN where none can. */
  #counted(lengthOf: (at: number) => number | undefined): Buffer | undefined {
    const { start } = this.#rules
    if (!this.#findStart()) return undefined
    const length = lengthOf(start.length)
    if (length === undefined) return undefined
    if (Number.isNaN(length)) {
      this.#bad(start.length + 1)
      return undefined
    }
    if (this.#rest.length < start.length + length) return undefined
    const payload = openContent(this.#rest.subarray(start.length, start.length + length), this.#rules)
    if (!payload) {
      this.#bad(start.length + length)
      return undefined
    }
    this.counts.frames++
    this.#take(start.length + length)
    return payload
  }

  #lengthAt(start: number): number | undefined {
    const { lengthAt, lengthBytes, lengthOrder, lengthAdds, maxLength, checksum } = this.#rules
    const at = start + lengthAt
    if (this.#rest.length < at + lengthBytes) return undefined
    const told = lengthOrder === 'big' ? this.#rest.readUIntBE(at, lengthBytes) : this.#rest.readUIntLE(at, lengthBytes)
    const length = told + lengthAdds
    const least = lengthAt + lengthBytes + (checksum?.size ?? 0)
    return length < least || length > maxLength ? Number.NaN : length
  }

  #betweenMarkers(): Buffer | undefined {
    const { start, end, stuffing, maxLength } = this.#rules
    if (!this.#findStart()) return undefined
    const isSame = start.equals(end)
    const at = this.#rest.indexOf(end, start.length)
    const again = stuffing === 'none' || isSame ? -1 : this.#rest.indexOf(start, start.length)
    // With stuffing a start inside of a frame can only be the next frame: this one broke off.
    if (again >= 0 && (at < 0 || again < at)) {
      this.counts.badFrames++
      this.#skip(again)
      return undefined
    }
    // Escapes double the content at most.
    const most = start.length + maxLength * (stuffing === 'none' ? 1 : 2)
    if (at < 0 ? this.#rest.length >= most + end.length : at > most) {
      this.#bad(most)
      return undefined
    }
    if (at < 0) return undefined
    const raw = this.#rest.subarray(start.length, at)
    const content = stuffing === 'none' ? raw : unstuff(raw, this.#rules)
    const payload =
      content && content.length > 0 && content.length <= maxLength ? openContent(content, this.#rules) : undefined
    if (payload) {
      this.counts.frames++
      // One flag may end a frame and begin the next.
      this.#take(isSame ? at : at + end.length)
      return payload
    }
    if (raw.length === 0) this.#skip(isSame ? at : at + end.length)
    else if (isSame) {
      this.counts.badFrames++
      this.#skip(at)
    } else this.#bad(at + end.length)
    return undefined
  }

  /** Skips to the next start; false where there is none yet. */
  #findStart(): boolean {
    const { start } = this.#rules
    if (start.length === 0) return true
    const at = this.#rest.indexOf(start)
    if (at >= 0) {
      this.#skip(at)
      return true
    }
    this.#skip(this.#rest.length - partialEnd(this.#rest, start))
    return false
  }

  #open(content: Buffer): Buffer | undefined {
    const payload = openContent(content, this.#rules)
    if (payload) this.counts.frames++
    else this.counts.badFrames++
    return payload
  }

  /** What began here is no frame, as a look at so many bytes told: the next may begin one byte later. */
  #bad(looked: number): void {
    this.counts.badFrames++
    this.#looks -= looked
    const passed = this.#looks > 0 ? 1 : looked
    this.#looks = Math.min(MOST_LOOKS, this.#looks + passed * LOOKS_PER_BYTE)
    this.#skip(passed)
  }

  #skip(length: number): void {
    this.counts.skippedBytes += length
    this.#take(length)
  }

  #take(length: number): void {
    this.#rest = this.#rest.subarray(length)
  }
}

/** How many of the last bytes may be the first of `wanted`. */
function partialEnd(bytes: Buffer, wanted: Buffer): number {
  for (let length = Math.min(bytes.length, wanted.length - 1); length > 0; length--) {
    if (bytes.subarray(bytes.length - length).equals(wanted.subarray(0, length))) return length
  }
  return 0
}
