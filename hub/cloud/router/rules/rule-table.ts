import { isTopicFilter, matchesTopic, type Rule, type RuleEndpoint, subscriptionOf } from '../../../../schemas/index.ts'
import { type Informer, keyOf } from '../../kubernetes/index.ts'
import { endpointErrors, ruleErrors, sourceKey } from './check-rule.ts'
import { comparePatterns, matchPattern, type PathMatch, type PathPattern, parsePattern } from './path-pattern.ts'
import { type RuleSettings, settingsOf } from './rule-settings.ts'

/** Why a rule takes no part, or that it does; becomes condition `Accepted`. */
export interface Verdict {
  readonly accepted: boolean
  readonly reason: 'Accepted' | 'EndpointMissing' | 'Invalid' | 'Duplicate'
  readonly message: string
}

/** A rule as it is now. One that changes is another one: calls that are under way end with the one with which they began. */
export interface LiveRule {
  /** `<namespace>/<name>` */
  readonly key: string
  readonly rule: Rule
  readonly source: RuleEndpoint
  readonly target: RuleEndpoint
  readonly settings: RuleSettings
  readonly pattern?: PathPattern
  /** Of an eventbus source: what is heard at which node. */
  readonly subscription?: { readonly node: string; readonly topic: string }
}

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
    for (const key of [...this.#verdicts.keys()]) if (isStale(key)) this.#verdicts.delete(key)
    for (const key of [...this.#live.keys()]) if (isStale(key)) this.#live.delete(key)
    const rules = this.#ports.rules.list().filter(({ metadata }) => stale.has(metadata.namespace ?? 'default'))
    const heard = new Map<string, Rule>()
    for (const rule of [...rules].sort(byAge)) this.#take(rule, heard)
    for (const namespace of stale) this.#order(namespace)
    this.#topics.clear()
    for (const live of this.#live.values()) {
      const { node } = live.subscription ?? {}
      if (node !== undefined) this.#topics.set(node, [...(this.#topics.get(node) ?? []), live])
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
    this.#live.set(key, {
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

function judge(
  rule: Rule,
  ends: { readonly source: RuleEndpoint | undefined; readonly target: RuleEndpoint | undefined },
  heard: Map<string, Rule>,
): Verdict {
  const { source, target } = ends
  const absent = [source ? '' : rule.spec.source, target ? '' : rule.spec.target].filter((name) => name !== '')
  if (absent.length > 0)
    return { accepted: false, reason: 'EndpointMissing', message: `there is no RuleEndpoint ${absent.join(', ')}` }
  const errors = [
    ...ruleErrors(rule, ends),
    ...[source, target].flatMap((endpoint) =>
      (endpoint ? endpointErrors(endpoint) : []).map(({ field, message }) => ({
        field: `RuleEndpoint ${endpoint?.metadata.name}: ${field}`,
        message,
      })),
    ),
  ]
  if (errors.length > 0) {
    const message = errors.map(({ field, message }) => `${field}: ${message}`).join(', ')
    return { accepted: false, reason: 'Invalid', message }
  }
  const key = sourceKey(rule, source) ?? ''
  const first = heard.get(key)
  if (first) {
    const message = `rule ${first.metadata.name}, which is older, hears the same: change one of them, or delete it`
    return { accepted: false, reason: 'Duplicate', message }
  }
  heard.set(key, rule)
  return { accepted: true, reason: 'Accepted', message: 'the rule is followed' }
}

function byAge({ metadata: one }: Rule, { metadata: other }: Rule): number {
  const created = String(one.creationTimestamp ?? '').localeCompare(String(other.creationTimestamp ?? ''))
  return created !== 0 ? created : one.name.localeCompare(other.name)
}

/** Its status alone is another one. */
function isSame(now: Rule, before: Rule): boolean {
  const view = ({ metadata, spec }: Rule) => JSON.stringify([metadata.uid, metadata.annotations, spec])
  return view(now) === view(before)
}
