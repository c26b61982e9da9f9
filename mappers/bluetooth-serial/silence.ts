import type { FrameCounts } from './framing/frame-decoder.ts'

/** What a call has heard. */
export class Silence {
  unanswered = 0
  #answered = 0

  note(isAnswered: boolean): void {
    if (isAnswered) this.#answered++
    else this.unanswered++
  }

  /** So many unanswered, and none answered. */
  isOver(most: number): boolean {
    return this.#answered === 0 && this.unanswered >= most
  }

  get message(): string {
    return `the device did not answer ${this.unanswered} request${this.unanswered === 1 ? '' : 's'}`
  }
}

/** What a line has carried at a moment. */
export interface Carried extends Readonly<FrameCounts> {
  readonly bytes: number
}

/** A wrong speed, framing or match looks like silence; what came meanwhile says which. Empty where nothing did. */
export function cameInstead(before: Carried, now: Carried): string {
  const bytes = now.bytes - before.bytes
  if (bytes === 0) return ''
  const frames = counted(now.frames - before.frames, 'other frame')
  const damaged = counted(now.badFrames - before.badFrames, 'damaged frame')
  return `; instead there came ${counted(bytes, 'byte')}, with ${frames} and ${damaged} in them`
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}
