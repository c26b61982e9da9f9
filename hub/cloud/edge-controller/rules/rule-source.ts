import {
  type Frame,
  GROUPS,
  MODULES,
  OPERATIONS,
  type Rule,
  type RuleEndpoint,
  subscriptionOf,
} from '../../../../schemas/index.ts'
import type { FrameFactory } from '../../../link/index.ts'
import type { CloudHub, NodePeer, NodeSource } from '../../cloudhub/delivery.ts'
import type { Informer } from '../../kubernetes/index.ts'
import { wantedVersion } from '../object-version.ts'

export interface RuleSourcePorts {
  readonly rules: Informer<Rule>
  readonly endpoints: Informer<RuleEndpoint>
  readonly hub: CloudHub
  readonly frames: FrameFactory
}

interface Told {
  readonly session: string
  readonly topics: ReadonlySet<string>
  /** It was told to subscribe them once, and then to unsubscribe: said again at each connect. */
  readonly former: ReadonlySet<string>
}

const MOST_FORMER = 100

/**
 * Rules that ask a node to listen to a topic. A Skerry edge gets the rule itself, and acknowledges it; an original one is
 * told to subscribe at each connect, and to unsubscribe what it was told before.
 */
export function createRuleSource({ rules, endpoints, hub, frames }: RuleSourcePorts): NodeSource & Disposable {
  const peers = new Map<string, NodePeer>()
  /** What original edges were told; they keep it on disk, and nothing says whether it arrived. */
  const told = new Map<string, Told>()
  const nodeOf = (rule: Rule | undefined) => rule?.spec.sourceResource['node_name'] ?? ''
  const wanted = (rule: Rule) => {
    const { namespace = 'default' } = rule.metadata
    return subscriptionOf(rule, endpoints.get({ namespace, name: rule.spec.source }))
  }
  const onNode = (node: string) => rules.list().filter((rule) => nodeOf(rule) === node && wanted(rule))
  const topicsOf = (node: string) => new Set(onNode(node).flatMap((rule) => wanted(rule)?.topic ?? []))
  const ask = (operation: 'subscribe' | 'unsubscribe', resource: string): Frame =>
    frames.make({ source: MODULES.routerEventBus, group: GROUPS.user, operation, resource }, null)

  const subscriptions = [
    hub.onConnection((peer, connected) => {
      if (connected) peers.set(peer.node, peer)
      else peers.delete(peer.node)
    }),
    rules.onChange((now, before) => {
      if (now && before && wantedVersion(now) === wantedVersion(before)) return
      for (const node of new Set([nodeOf(now), nodeOf(before)])) hub.sync(node)
    }),
    endpoints.onChange((now, before) => {
      const endpoint = now ?? before
      if (now && before && wantedVersion(now) === wantedVersion(before)) return
      for (const rule of rules.list()) {
        const isSource = rule.spec.source === endpoint?.metadata.name
        if (isSource && rule.metadata.namespace === endpoint.metadata.namespace) hub.sync(nodeOf(rule))
      }
    }),
  ]

  return {
    name: 'rules',
    [Symbol.dispose]() {
      for (const subscription of subscriptions) subscription[Symbol.dispose]()
    },
    kinds: ['Rule'],
    isReady: () => rules.isSynced && endpoints.isSynced,
    addressOf: ({ metadata }) => addressOf(metadata),
    deliveriesFor(node) {
      if (!peers.get(node)?.skerry) return []
      return onNode(node).map((rule) => ({
        object: { ...rule, apiVersion: 'rules.kubeedge.io/v1', kind: 'Rule' },
        ...addressOf(rule.metadata),
        version: wantedVersion(rule),
      }))
    },
    noticesFor(node, session) {
      if (peers.get(node)?.skerry !== false) return []
      const before = told.get(node)
      const topics = topicsOf(node)
      const isSame = before?.session === session
      const gone = [...(before?.topics ?? [])].filter((topic) => !topics.has(topic))
      const former = new Set(
        [...(before?.former ?? []), ...gone].filter((topic) => !topics.has(topic)).slice(-MOST_FORMER),
      )
      told.set(node, { session, topics, former })
      const fresh = [...topics].filter((topic) => !(isSame && before.topics.has(topic)))
      return [
        ...[...(isSame ? gone : former)].map((topic) => ask(OPERATIONS.unsubscribe, topic)),
        ...fresh.map((topic) => ask(OPERATIONS.subscribe, topic)),
      ]
    },
  }
}

function addressOf({ namespace = 'default', name }: { readonly namespace?: string; readonly name: string }) {
  return { resource: `${namespace}/rule/${name}`, source: MODULES.edgeController }
}
