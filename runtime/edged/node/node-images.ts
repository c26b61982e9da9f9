import type { NodeImage } from '../../../schemas/index.ts'
import type { Image } from '../cri/runtime.ts'

/** As many as a kubelet reports: a Node that says more does not fit well into its API. */
const MOST_IMAGES = 50
const MOST_NAMES = 5

/** Images as a Node lists them, so that a scheduler knows where they are already: the largest first. */
export function nodeImages(images: readonly Image[]): readonly NodeImage[] {
  return images
    .map(({ digests, tags, bytes }) => ({ names: [...digests, ...tags].slice(0, MOST_NAMES), bytes }))
    .filter(({ names }) => names.length > 0)
    .sort((a, b) => b.bytes - a.bytes || (a.names[0] ?? '').localeCompare(b.names[0] ?? ''))
    .slice(0, MOST_IMAGES)
}
