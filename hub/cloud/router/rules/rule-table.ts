import { isTopicFilter, matchesTopic, type Rule, type RuleEndpoint, subscriptionOf } from '../../../../schemas/index.ts'
import { type Informer, keyOf } from '../../kubernetes/index.ts'
import { circles } from './circles.ts'
import { byAge, closesCircle, FOLLOWED, judge, type Verdict } from './judge-rule.ts'
import type { LiveRule } from './live-rule.ts'
import { comparePatterns, matchPattern, type PathMatch, parsePattern } from './path-pattern.ts'
import { settingsOf } from './rule-settings.ts'

export interface RuleTablePorts {
  readonly rules: Informer<Rule>
  readonly endpoints: Informer<RuleEndpoint>
}

export interface PathFound {
  readonly live: LiveRule
  readonly match: PathMatch
}

/** All rules, as they are to be followed now. What changes in the API is followed from the next look on. */
export class RuleTable implements Disposable {
  readonly #ports: RuleTablePorts
  /** Good by themselves and in their namespace. */
  readonly #good = new Map<string, LiveRule>()
  /** Those of them that close no circle with older ones, of any namespace. */
  readonly #live = new Map<string, LiveRule>()
  readonly #verdicts = new Map<string, Verdict>()
  /** By namespace, the most specific path first. */
  readonly #paths = new Map<string, LiveRule[]>()
  /** By node. */
  readonly #topics = new Map<string, LiveRule[]>()
  readonly #handlers = new Set<(key: string) => void>()
  readonly #stale = new Set<string>()
  readonly #subscriptions: readonly Disposable[]

  constructor(ports: RuleTablePorts) {
    this.#ports = ports
    const namespaceOf = (object: Rule | RuleEndpoint | undefined) => object?.metadata.namespace ?? 'default'
    this.#subscriptions = [
      ports.rules.onChange((now, before) => {
        if (now && before && isSame(now, before)) return
        this.#stale.add(namespaceOf(now ?? before))
        const rule = now ?? before
        if (rule) this.#tell(keyOf(rule))
      }),
      ports.endpoints.onChange((now, before) => {
        const namespace = namespaceOf(now ?? before)
        this.#stale.add(namespace)
        for (const rule of ports.rules.list()) if (namespaceOf(rule) === namespace) this.#tell(keyOf(rule))
      }),
    ]
  }

  [Symbol.dispose](): void {
    for (const subscription of this.#subscriptions) subscription[Symbol.dispose]()
  }

  get isSynced(): boolean {
    return this.#ports.rules.isSynced && this.#ports.endpoints.isSynced
  }

  async synced(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#ports.rules.synced(signal), this.#ports.endpoints.synced(signal)])
  }

  /** Told of each rule whose verdict or content may be another one now. */
  onChange(handler: (key: string) => void): Disposable {
    this.#handlers.add(handler)
    for (const rule of this.#ports.rules.list()) handler(keyOf(rule))
    return { [Symbol.dispose]: () => void this.#handlers.delete(handler) }
  }

  /** The most specific rule for a path, whose segments are decoded. */
  find(namespace: string, path: readonly string[]): PathFound | undefined {
    this.#refresh()
    for (const live of this.#paths.get(namespace) ?? []) {
      const match = live.pattern && matchPattern(live.pattern, path)
      if (match) return { live, match }
    }
    return undefined
  }

  /** All rules that hear what was published at a node. */
  heard(node: string, topic: string): readonly LiveRule[] {
    this.#refresh()
    return (this.#topics.get(node) ?? []).filter(({ subscription }) => {
      return subscription !== undefined && matchesTopic(subscription.topic, topic)
    })
  }

  /** Undefined for one that takes no part. */
  live(key: string): LiveRule | undefined {
    this.#refresh()
    return this.#live.get(key)
  }

  /** Rules with a servicebus source of this node. */
  called(node: string, targetUrl: string): LiveRule | undefined {
    this.#refresh()
    for (const live of this.#live.values()) {
      const { node_name: at, target_url: url } = live.rule.spec.sourceResource
      if (live.source.spec.ruleEndpointType === 'servicebus' && at === node && url === targetUrl) return live
    }
    return undefined
  }

  verdict(key: string): Verdict | undefined {
    this.#refresh()
    return this.#verdicts.get(key)
  }

  rule(key: string): Rule | undefined {
    const [namespace = '', name = ''] = key.split('/')
    return this.#ports.rules.get({ namespace, name })
  }

  #tell(key: string): void {
    for (const handler of this.#handlers) handler(key)
  }

  /** Many changes at once cost one look. */
  #refresh(): void {
    if (this.#stale.size === 0) return
    const stale = new Set(this.#stale)
    this.#stale.clear()
    const isStale = (key: string) => stale.has(key.split('/')[0] ?? '')
    const before = new Map(this.#verdicts)
    for (const key of before.keys()) if (isStale(key)) this.#verdicts.delete(key)
    for (const key of [...this.#good.keys()]) if (isStale(key)) this.#good.delete(key)
    const rules = this.#ports.rules.list().filter(({ metadata }) => stale.has(metadata.namespace ?? 'default'))
    const heard = new Map<string, Rule>()
    for (const rule of [...rules].sort(byAge)) this.#take(rule, heard)
    this.#cutCircles()
    for (const namespace of stale) this.#order(namespace)
    this.#topics.clear()
    for (const live of this.#live.values()) {
      const { node } = live.subscription ?? {}
      if (node !== undefined) this.#topics.set(node, [...(this.#topics.get(node) ?? []), live])
    }
    // One that changes or goes may make room for another.
    for (const [key, { message }] of this.#verdicts) if (before.get(key)?.message !== message) this.#tell(key)
  }

  /** What a rule says is heard by rules of all namespaces, so a change in one may concern the others. */
  #cutCircles(): void {
    const closing = circles([...this.#good.values()].sort((one, other) => byAge(one.rule, other.rule)))
    this.#live.clear()
    for (const [key, live] of this.#good) {
      const circle = closing.get(key)
      if (!circle) this.#live.set(key, live)
      this.#verdicts.set(key, circle ? closesCircle(circle) : FOLLOWED)
    }
  }

  #take(rule: Rule, heard: Map<string, Rule>): void {
    const { endpoints } = this.#ports
    const { namespace = 'default' } = rule.metadata
    const key = keyOf(rule)
    const source = endpoints.get({ namespace, name: rule.spec.source })
    const target = endpoints.get({ namespace, name: rule.spec.target })
    const verdict = judge(rule, { source, target }, heard)
    this.#verdicts.set(key, verdict)
    if (!verdict.accepted || !source || !target) return
    const pattern = source.spec.ruleEndpointType === 'rest' ? parsePattern(rule.spec.sourceResource['path'] ?? '') : ''
    const subscription = subscriptionOf(rule, source)
    this.#good.set(key, {
      ...{ key, rule, source, target, settings: settingsOf(rule) },
      ...(typeof pattern === 'string' ? {} : { pattern }),
      ...(subscription && isTopicFilter(subscription.topic) ? { subscription } : {}),
    })
  }

  #order(namespace: string): void {
    const paths = [...this.#live.values()].filter(
      ({ rule, pattern }) => pattern && (rule.metadata.namespace ?? 'default') === namespace,
    )
    paths.sort((one, other) => (one.pattern && other.pattern ? comparePatterns(one.pattern, other.pattern) : 0))
    if (paths.length > 0) this.#paths.set(namespace, paths)
    else this.#paths.delete(namespace)
  }
}

/** Its status alone is another one. */
function isSame(now: Rule, before: Rule): boolean {
  const view = ({ metadata, spec }: Rule) => JSON.stringify([metadata.uid, metadata.annotations, spec])
  return view(now) === view(before)
}
