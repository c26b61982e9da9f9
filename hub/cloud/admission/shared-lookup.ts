/**
 * Looks once for all who ask for a key while the look before theirs is under way. Each answer is of a look that began after its
 * question, so that nobody gets an older one than by looking alone. What rejects does so for all who share it.
 */
export function sharedLookup<T>(look: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const underWay = new Map<string, Promise<T>>()
  const next = new Map<string, Promise<T>>()

  const begin = (key: string): Promise<T> => {
    next.delete(key)
    const looking = look(key)
    underWay.set(key, looking)
    const end = () => {
      if (underWay.get(key) === looking) underWay.delete(key)
    }
    looking.then(end, end)
    return looking
  }

  return (key) => {
    const waiting = next.get(key)
    if (waiting) return waiting
    const present = underWay.get(key)
    if (!present) return begin(key)
    const then = () => begin(key)
    const made = present.then(then, then)
    next.set(key, made)
    return made
  }
}
