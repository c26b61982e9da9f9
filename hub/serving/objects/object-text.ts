import type { JsonObject } from '../../../schemas/index.ts'

/** Characters that may be remembered before what was not asked for since is forgotten; up to twice as many are kept. */
const REMEMBERED = 16 * 1024 * 1024

let texts = new WeakMap<JsonObject, string>()
let earlier = new WeakMap<JsonObject, string>()
let length = 0

/**
 * JSON of an object that nobody changes any more. Made once where it is asked for at about the same time by the disk, lists and
 * every watcher; but a long list does not keep the text of everything.
 */
export function objectText(object: JsonObject): string {
  const known = texts.get(object)
  if (known !== undefined) return known
  const text = earlier.get(object) ?? JSON.stringify(object)
  length += text.length
  if (length > REMEMBERED) {
    earlier = texts
    texts = new WeakMap()
    length = text.length
  }
  texts.set(object, text)
  return text
}
