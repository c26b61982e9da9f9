import type { Frame } from '../../../schemas/index.ts'
import type { Caller } from './ground/network.ts'

/** For each frame of the edge, what the cloud half hears instead; `answer` says something to the edge in its name. */
export type Alter = (frame: Frame, answer: (frame: Frame) => void) => Frame | undefined

/** A connection to a cloud half that does not hear what it was told. */
export function altered({ link, ...caller }: Caller, alter: Alter): Caller {
  const { isSkerry, cloudEpoch, closed } = link
  const close = (reason: string) => link.close(reason)
  const send = (frame: Frame) => link.send(frame)
  const answer = (frame: Frame) => void send(frame).catch(() => undefined)
  async function* frames(): AsyncGenerator<Frame> {
    for await (const frame of link.frames) {
      const heard = alter(frame, answer)
      if (heard) yield heard
    }
  }
  return { ...caller, link: { isSkerry, cloudEpoch, closed, close, send, frames: frames() } }
}
