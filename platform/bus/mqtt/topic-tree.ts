/**
 * Values by MQTT topic filter (MQTT 3.1.1 §4.7), found by topic. `a/#` matches `a` too; a wildcard at the first level does not
 * match topics that begin with `$`. Values of one filter come in the order of their adding.
 */
export class TopicTree<V> {
  readonly #root: Level<V> = level()

  add(filter: string, value: V): void {
    let at = this.#root
    for (const part of filter.split('/')) {
      let next = at.below.get(part)
      if (!next) {
        next = level()
        at.below.set(part, next)
      }
      at = next
    }
    at.values.push(value)
  }

  /** Takes one such value away, and the levels that nobody needs any more. */
  remove(filter: string, value: V): boolean {
    const path: { readonly parent: Level<V>; readonly part: string }[] = []
    let at = this.#root
    for (const part of filter.split('/')) {
      const next = at.below.get(part)
      if (!next) return false
      path.push({ parent: at, part })
      at = next
    }
    const index = at.values.indexOf(value)
    if (index < 0) return false
    at.values.splice(index, 1)
    for (let step = path.pop(); step; step = path.pop()) {
      const child = step.parent.below.get(step.part)
      if (!child || child.values.length > 0 || child.below.size > 0) break
      step.parent.below.delete(step.part)
    }
    return true
  }

  /** Whether some filter can match topics with this first level. */
  reaches(first: string): boolean {
    const { below } = this.#root
    if (below.size === 0) return false
    return below.has(first) || (!first.startsWith('$') && (below.has('#') || below.has('+')))
  }

  match(topic: string): readonly V[] {
    const found: V[] = []
    this.#walk(topic, (values) => {
      for (const value of values) found.push(value)
      return false
    })
    return found
  }

  /** Whether there is any value for the topic. */
  matches(topic: string): boolean {
    return this.#walk(topic, (values) => values.length > 0)
  }

  /** Shows the values of each matching filter until `show` has seen enough; true when it has. On the path of every message. */
  #walk(topic: string, show: (values: readonly V[]) => boolean): boolean {
    let open: Level<V>[] = [this.#root]
    let wild = !topic.startsWith('$')
    for (let start = 0; start <= topic.length; wild = true) {
      const slash = topic.indexOf('/', start)
      const end = slash < 0 ? topic.length : slash
      const part = topic.slice(start, end)
      start = end + 1
      const next: Level<V>[] = []
      for (const { below } of open) {
        if (below.size === 0) continue
        const some = wild ? below.get('#') : undefined
        if (some && show(some.values)) return true
        const one = wild ? below.get('+') : undefined
        if (one) next.push(one)
        const same = part === '+' || part === '#' ? undefined : below.get(part)
        if (same) next.push(same)
      }
      if (next.length === 0) return false
      open = next
    }
    for (const { values, below } of open) {
      const some = below.get('#')
      if (show(values) || (some && show(some.values))) return true
    }
    return false
  }
}

interface Level<V> {
  readonly values: V[]
  readonly below: Map<string, Level<V>>
}

function level<V>(): Level<V> {
  return { values: [], below: new Map() }
}

/** Whether one filter matches a topic. */
export function isMatch(filter: string, topic: string): boolean {
  const parts = topic.split('/')
  const wanted = filter.split('/')
  if (topic.startsWith('$') && (wanted[0] === '+' || wanted[0] === '#')) return false
  for (const [depth, want] of wanted.entries()) {
    if (want === '#') return true
    if (depth >= parts.length || (want !== '+' && want !== parts[depth])) return false
  }
  return wanted.length === parts.length
}
