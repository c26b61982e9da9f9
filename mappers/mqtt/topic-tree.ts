/**
 * Values by MQTT topic filter (MQTT 3.1.1 §4.7), found by topic: filters without wildcards by one look-up, however many there
 * are, the others level by level.
 */
export class TopicTree<V> {
  readonly #exact = new Map<string, Set<V>>()
  readonly #root: Level<V> = createLevel()
  #wild = 0

  add(filter: string, value: V): void {
    if (!isWild(filter)) {
      const values = this.#exact.get(filter) ?? new Set()
      this.#exact.set(filter, values.add(value))
      return
    }
    let at = this.#root
    for (const part of filter.split('/')) {
      const next = at.below.get(part) ?? createLevel()
      at.below.set(part, next)
      at = next
    }
    if (!at.values.has(value)) this.#wild++
    at.values.add(value)
  }

  remove(filter: string, value: V): void {
    if (!isWild(filter)) {
      const values = this.#exact.get(filter)
      if (values?.delete(value) && values.size === 0) this.#exact.delete(filter)
      return
    }
    this.#prune(this.#root, filter.split('/'), 0, value)
  }

  match(topic: string): readonly V[] {
    const found: V[] = [...(this.#exact.get(topic) ?? [])]
    // A wildcard at the first level does not match topics that begin with `$`.
    if (this.#wild > 0) collect(this.#root, topic.split('/'), 0, found, topic.startsWith('$'))
    return found
  }

  /** True when nothing is left below. */
  #prune(at: Level<V>, parts: readonly string[], depth: number, value: V): boolean {
    const part = parts[depth]
    if (part === undefined) {
      if (at.values.delete(value)) this.#wild--
    } else {
      const next = at.below.get(part)
      if (next && this.#prune(next, parts, depth + 1, value)) at.below.delete(part)
    }
    return at.values.size === 0 && at.below.size === 0
  }
}

interface Level<V> {
  readonly below: Map<string, Level<V>>
  readonly values: Set<V>
}

function createLevel<V>(): Level<V> {
  return { below: new Map(), values: new Set() }
}

function isWild(filter: string): boolean {
  return filter.includes('+') || filter.includes('#')
}

function collect<V>(at: Level<V>, parts: readonly string[], depth: number, found: V[], isHidden: boolean): void {
  if (!isHidden) found.push(...(at.below.get('#')?.values ?? []))
  const part = parts[depth]
  if (part === undefined) {
    found.push(...at.values)
    return
  }
  const next = at.below.get(part)
  if (next) collect(next, parts, depth + 1, found, false)
  const any = isHidden ? undefined : at.below.get('+')
  if (any) collect(any, parts, depth + 1, found, false)
}
