import { type Frame, OBJECT_DIGEST_RESOURCE } from '../../../schemas/index.ts'
import type { Mutant } from './mutants.ts'

/** The cloud never hears what an edge says that it holds. Found where the API goes back to a backup. */
export const NO_OBJECT_DIGEST: Mutant = {
  caller: ({ link, ...caller }) => {
    const { isSkerry, cloudEpoch, closed } = link
    const close = (reason: string) => link.close(reason)
    const send = (frame: Frame) => link.send(frame)
    return { ...caller, link: { isSkerry, cloudEpoch, closed, close, send, frames: withoutDigest(link.frames) } }
  },
}

async function* withoutDigest(frames: AsyncIterable<Frame>): AsyncGenerator<Frame> {
  for await (const frame of frames) if (frame.route.resource !== OBJECT_DIGEST_RESOURCE) yield frame
}
