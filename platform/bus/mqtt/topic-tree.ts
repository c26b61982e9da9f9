/**
 * Values by MQTT topic filter (MQTT 3.1.1 §4.7), found by topic. `a/#` matches `a` too; a wildcard at the first level does not
 * match topics that begin with `$`. Values of one filter come in the order of their adding.
 */
export class TopicTree<V> {
  readonly #root: Level<V> = level()
  /** What was found for a topic: most messages are about the same few thousand. Emptied by each change, and when full. */
  readonly #found = new Map<string, readonly V[]>()

  add(filter: string, value: V): void {
    this.#found.clear()
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
    this.#found.clear()
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
    if (this.#root.below.size === 0) return NONE
    const known = this.#found.get(topic)
    if (known) return known
    const found = this.#find(topic)
    if (topic.length > LONGEST_KEPT) return found
    if (this.#found.size >= MOST_FOUND) this.#found.clear()
    this.#found.set(topic, found)
    return found
  }

  /** Whether there is any value for the topic. */
  matches(topic: string): boolean {
    return this.match(topic).length > 0
  }

  #find(topic: string): readonly V[] {
    const found: V[] = []
    const parts = topic.split('/')
    let open: Level<V>[] = [this.#root]
    for (const [depth, part] of parts.entries()) {
      const wild = depth > 0 || !topic.startsWith('$')
      const next: Level<V>[] = []
      for (const at of open) {
        if (at.below.size === 0) continue
        const some = wild ? at.below.get('#') : undefined
        if (some) found.push(...some.values)
        const one = wild ? at.below.get('+') : undefined
        if (one) next.push(one)
        const same = part === '+' || part === '#' ? undefined : at.below.get(part)
        if (same) next.push(same)
      }
      open = next
    }
    for (const at of open) found.push(...at.values, ...(at.below.get('#')?.values ?? []))
    return found
  }
}

const NONE: readonly never[] = []
/** Topics that are remembered, and the longest of them: together some megabytes, whatever clients publish on. */
const MOST_FOUND = 8192
const LONGEST_KEPT = 256

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
