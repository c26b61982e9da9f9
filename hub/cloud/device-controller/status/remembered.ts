/**
 * What was last made for each key, and of what. Made again when one of its parts is another value: parts are compared by identity,
 * so each has to be replaced where it changes, never edited.
 */
export class Remembered<K extends WeakKey, T> {
  readonly #known = new WeakMap<K, { readonly parts: readonly unknown[]; readonly made: T }>()

  of(key: K, parts: readonly unknown[], make: () => T): T {
    const known = this.#known.get(key)
    if (known && parts.every((part, at) => Object.is(part, known.parts[at]))) return known.made
    const made = make()
    this.#known.set(key, { parts, made })
    return made
  }
}
