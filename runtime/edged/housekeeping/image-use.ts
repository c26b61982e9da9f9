import type { Container, Image } from '../cri/runtime.ts'
import { listedAs, parseImageName } from '../pod/image-name.ts'

/** An image with when it was last of use, Unix ms. */
export interface KnownImage {
  readonly image: Image
  /** When it was first seen here. */
  readonly since: number
  /** 0: not since it was seen. */
  readonly lastUsed: number
}

/** When images of this node were last used, for as long as the process lives. */
export class ImageUse {
  #known: ReadonlyMap<string, KnownImage> = new Map()

  /** The images that are not in use at this time, the one that was of no use for the longest first. */
  unused(images: readonly Image[], isUsed: (image: Image) => boolean, now: number): readonly KnownImage[] {
    const known = new Map<string, KnownImage>()
    const unused: KnownImage[] = []
    for (const image of images) {
      const before = this.#known.get(image.id)
      const used = isUsed(image)
      const entry = { image, since: before?.since ?? now, lastUsed: used ? now : (before?.lastUsed ?? 0) }
      known.set(image.id, entry)
      if (!used) unused.push(entry)
    }
    this.#known = known
    return unused.toSorted((a, b) => a.lastUsed - b.lastUsed || a.since - b.since)
  }
}

/**
 * Which images may not go: those that containers were made from, also ended ones and those of other owners; those that pods of
 * this node name; those that the runtime pins; and those of sandboxes, which runtimes before the pin do not tell of.
 */
export function usedImages(
  containers: readonly Container[],
  wanted: Iterable<string>,
  keep: readonly string[],
): (image: Image) => boolean {
  const names = new Set<string>()
  for (const { image, imageRef } of containers) {
    names.add(image)
    names.add(imageRef)
  }
  for (const each of [...wanted, ...keep, ...names]) {
    const name = parseImageName(each)
    if (typeof name !== 'string') for (const listed of listedAs(name)) names.add(listed)
  }
  return ({ id, tags, digests, isPinned }) => {
    const all = [id, ...tags, ...digests]
    return isPinned || all.some((each) => names.has(each) || PAUSE.test(each))
  }
}

/** What sandbox images are called everywhere. */
const PAUSE = /\/pause(?:-[a-z0-9]+)?[:@]/
