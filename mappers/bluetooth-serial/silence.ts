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

/** A wrong speed, framing or match looks like silence; what came meanwhile says which. Empty where nothing did. */
export function cameInstead(before: Readonly<FrameCounts>, now: Readonly<FrameCounts>): string {
  const frames = now.frames - before.frames
  const damaged = now.badFrames - before.badFrames
  const bytes = now.skippedBytes - before.skippedBytes
  if (frames + damaged + bytes === 0) return ''
  return `; instead there came ${counted(frames, 'other frame')}, ${counted(damaged, 'damaged frame')} and ${counted(bytes, 'byte')} outside of frames`
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}
