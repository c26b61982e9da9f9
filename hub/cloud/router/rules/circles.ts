import { matchesTopic } from '../../../../schemas/index.ts'
import type { LiveRule } from './live-rule.ts'

/** Named in a message; of a longer circle the first ones. */
const MOST_NAMED = 8

/**
 * Rules that would send messages round for ever, each with the circle that it closes, from itself on. What an eventbus target says,
 * and where, stands in its rule word by word, so a circle is one for every message that gets into it, and whatever is no circle
 * here ends. Of the rules of a circle the last in the order given is the one that closes it.
 */
export function circles(rules: readonly LiveRule[]): ReadonlyMap<string, readonly string[]> {
  const closing = new Map<string, readonly string[]>()
  const byNode = new Map<string, LiveRule[]>()
  for (const rule of rules) {
    const { subscription } = rule
    if (!subscription || !saysOf(rule)) continue
    const there = byNode.get(subscription.node) ?? []
    byNode.set(subscription.node, [...there, rule])
    const circle = circleThrough(rule, byNode)
    if (!circle) continue
    closing.set(rule.key, circle)
    byNode.set(subscription.node, there)
  }
  return closing
}

/** For people: `shop/a, shop/b, shop/a`. */
export function circleText(circle: readonly string[]): string {
  const named = circle.slice(0, MOST_NAMED)
  const left = circle.length - named.length
  return [...named, ...(left > 0 ? [`${left} more`] : []), circle[0]].join(', ')
}

interface Place {
  readonly node: string
  readonly topic: string
}

/** What a rule says at a node; nothing unless it goes from eventbus to eventbus. */
function saysOf({ rule, target, subscription }: LiveRule): Place | undefined {
  const { topic, node_name: node = subscription?.node } = rule.spec.targetResource
  if (target.spec.ruleEndpointType !== 'eventbus' || topic === undefined || node === undefined) return undefined
  return { node, topic }
}

/** The shortest way of a message from what the rule says back to the rule. */
function circleThrough(
  first: LiveRule,
  byNode: ReadonlyMap<string, readonly LiveRule[]>,
): readonly string[] | undefined {
  const cameFrom = new Map<LiveRule, LiveRule | undefined>([[first, undefined]])
  for (const rule of cameFrom.keys()) {
    const place = saysOf(rule)
    for (const next of (place && byNode.get(place.node)) ?? []) {
      if (!place || !next.subscription || !matchesTopic(next.subscription.topic, place.topic)) continue
      if (next === first) return wayTo(rule, cameFrom)
      if (!cameFrom.has(next)) cameFrom.set(next, rule)
    }
  }
  return undefined
}

function wayTo(last: LiveRule, cameFrom: ReadonlyMap<LiveRule, LiveRule | undefined>): readonly string[] {
  const way: string[] = []
  for (let rule: LiveRule | undefined = last; rule; rule = cameFrom.get(rule)) way.unshift(rule.key)
  return way
}
