import {
  callOf,
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
  readonly wishes: ReadonlySet<string>
  /** It was told them once, and then that they are over: said again at each connect. */
  readonly former: ReadonlySet<string>
}

const MOST_FORMER = 100

/**
 * Rules that begin on a node: at a topic that it is to listen to, or at its ServiceBus. A Skerry edge gets the rule itself, and
 * acknowledges it; an original one is told what to subscribe and which target URLs to offer at each connect, and what is over.
 */
export function createRuleSource({ rules, endpoints, hub, frames }: RuleSourcePorts): NodeSource & Disposable {
  const peers = new Map<string, NodePeer>()
  /** What original edges were told; they keep it on disk, and nothing says whether it arrived. */
  const told = new Map<string, Told>()
  const nodeOf = (rule: Rule | undefined) => rule?.spec.sourceResource['node_name'] ?? ''
  const wanted = (rule: Rule): string | undefined => {
    const { namespace = 'default' } = rule.metadata
    const source = endpoints.get({ namespace, name: rule.spec.source })
    const call = callOf(rule, source)
    return call ? wishOf('call', call.targetUrl) : wishOf('topic', subscriptionOf(rule, source)?.topic)
  }
  const onNode = (node: string) => rules.list().filter((rule) => nodeOf(rule) === node && wanted(rule))
  const wishesOf = (node: string) => new Set(onNode(node).flatMap((rule) => wanted(rule) ?? []))
  const ask = (isWanted: boolean, wish: string): Frame => frames.make(routeOf(isWanted, wish), null)

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
      const wishes = wishesOf(node)
      const isSame = before?.session === session
      const gone = [...(before?.wishes ?? [])].filter((wish) => !wishes.has(wish))
      const former = new Set(
        [...(before?.former ?? []), ...gone].filter((wish) => !wishes.has(wish)).slice(-MOST_FORMER),
      )
      told.set(node, { session, wishes, former })
      const fresh = [...wishes].filter((wish) => !(isSame && before.wishes.has(wish)))
      return [...[...(isSame ? gone : former)].map((wish) => ask(false, wish)), ...fresh.map((wish) => ask(true, wish))]
    },
  }
}

/** What a rule wants of its node, in one word. */
function wishOf(kind: 'topic' | 'call', what: string | undefined): string | undefined {
  return what === undefined ? undefined : `${kind} ${what}`
}

function routeOf(isWanted: boolean, wish: string) {
  const [kind = ''] = wish.split(' ', 1)
  const resource = wish.slice(kind.length + 1)
  if (kind === 'call') {
    const operation = isWanted ? OPERATIONS.start : OPERATIONS.stop
    return { source: MODULES.routerServiceBus, group: GROUPS.user, operation, resource }
  }
  const operation = isWanted ? OPERATIONS.subscribe : OPERATIONS.unsubscribe
  return { source: MODULES.routerEventBus, group: GROUPS.user, operation, resource }
}

function addressOf({ namespace = 'default', name }: { readonly namespace?: string; readonly name: string }) {
  return { resource: `${namespace}/rule/${name}`, source: MODULES.edgeController }
}
