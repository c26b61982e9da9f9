import type { RetainedView } from '../../event-bus.ts'

/** Levels of a topic that stand for what it belongs to: `twins/<namespace>/<device>`. */
const GROUP_LEVELS = 3
const ROOT = '$skerry/edge'
const KIND = 'shown'

/**
 * Several edges may keep retained messages at one broker. Each marks what it keeps there, one retained message per device, and
 * clears only what it has marked itself: `$skerry/edge/<node>/shown/<twins/namespace/device>`.
 */
export class Markers {
  readonly #own: string
  readonly #marked = new Set<string>()

  constructor(nodeName: string) {
    this.#own = `${ROOT}/${nodeName}/${KIND}/`
  }

  /** Filter of the markers of this edge. */
  get filter(): string {
    return `${this.#own}#`
  }

  forget(): void {
    this.#marked.clear()
  }

  /** The marker that has to be sent before this topic, if it was not yet. */
  mark(topic: string): string | undefined {
    const group = groupOf(topic)
    if (this.groupOfOwn(topic) !== undefined || this.#marked.has(group)) return undefined
    this.#marked.add(group)
    return this.markerOf(group)
  }

  /** Whether a marker stands for what this topic belongs to. */
  isMarked(topic: string): boolean {
    return this.#marked.has(groupOf(topic))
  }

  /** The marker that has to be cleared, once nothing is left that it stands for. */
  unmark(topic: string): string {
    const group = groupOf(topic)
    this.#marked.delete(group)
    return this.markerOf(group)
  }

  /** Undefined when the topic is no marker of this edge. */
  payloadOf(topic: string): string | undefined {
    const group = this.groupOfOwn(topic)
    if (group === undefined) return undefined
    return this.#marked.has(group) ? '1' : ''
  }

  markerOf(group: string): string {
    return `${this.#own}${group}`
  }

  /** The group that a marker of this edge stands for. */
  groupOfOwn(topic: string): string | undefined {
    return topic.startsWith(this.#own) ? topic.slice(this.#own.length) : undefined
  }

  /** Filter of everybody's markers of a group. */
  anyoneFilter(group: string): string {
    return `${ROOT}/+/${KIND}/${group}`
  }

  /** The group that a marker of another edge stands for. */
  groupOfOther(topic: string): string | undefined {
    const [root, edge, node, kind, ...group] = topic.split('/')
    if (`${root}/${edge}` !== ROOT || kind !== KIND || this.groupOfOwn(topic) !== undefined) return undefined
    return node === undefined ? undefined : group.join('/')
  }
}

export function groupOf(topic: string): string {
  return topic.split('/', GROUP_LEVELS).join('/')
}

/** Whether the view has nothing of what a topic belongs to. */
export async function isEmpty(view: RetainedView, topic: string): Promise<boolean> {
  return !(await has(view, `${groupOf(topic)}/#`))
}

/** Whether the view has a message. It is not made for this. */
export async function has(view: RetainedView, filter: string): Promise<boolean> {
  for await (const _ of view.messages(filter)) return true
  return false
}
