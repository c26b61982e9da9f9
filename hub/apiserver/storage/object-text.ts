import type { JsonObject } from '../../../schemas/index.ts'

const texts = new WeakMap<JsonObject, string>()

/** JSON of an object that nobody changes any more, made once: it goes to the disk, to lists and to every watcher. */
export function objectText(object: JsonObject): string {
  const known = texts.get(object)
  if (known !== undefined) return known
  const text = JSON.stringify(object)
  texts.set(object, text)
  return text
}
