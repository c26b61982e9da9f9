import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMetrics } from '../../../../platform/health/index.ts'
import { silentLogger } from '../../../../platform/log/index.ts'
import { ms, seconds } from '../../../../platform/time/index.ts'
import { FakeClock } from '../../../../platform/time/testing/index.ts'
import type { CloudHub, NodePeer } from '../../cloudhub/delivery.ts'
import { SERVICES } from '../../kubernetes/resources.ts'
import { FakeKubernetes } from '../../testing/fake-kubernetes.ts'
import { countingRandom } from '../../testing/harness.ts'
import { DEFAULT_SERVICE_LIMITS } from './service-limits.ts'
import { ServiceSource } from './service-source.ts'

const EVERY = 10
const ROUND_BYTES = 4 * 1024

/** What a node has, and what it was sent for that. */
interface Node {
  readonly has: Map<string, string>
  readonly sent: Map<string, number>
  bytes: number
}

/** Nodes that take at once whatever the source wants them to have, as often as it has them looked at. */
class Fleet {
  readonly nodes = new Map<string, Node>()
  readonly looks = new Map<string, number>()
  readonly #connected = new Set<(peer: NodePeer, connected: boolean) => void>()
  source: ServiceSource | undefined

  hub(): Pick<CloudHub, 'sync' | 'peerOf' | 'onConnection'> {
    return {
      sync: (node) => this.#sync(node),
      peerOf: (node) => (this.nodes.has(node) ? peer(node) : undefined),
      onConnection: (handler) => {
        this.#connected.add(handler)
        return { [Symbol.dispose]: () => void this.#connected.delete(handler) }
      },
    }
  }

  join(node: string): void {
    this.nodes.set(node, { has: new Map(), sent: new Map(), bytes: 0 })
    for (const handler of this.#connected) handler(peer(node), true)
  }

  #sync(name: string): void {
    this.looks.set(name, (this.looks.get(name) ?? 0) + 1)
    const node = this.nodes.get(name)
    for (const { resource, version, object } of this.source?.deliveriesFor(name) ?? []) {
      if (!node || node.has.get(resource) === version) continue
      node.has.set(resource, version)
      node.sent.set(resource, (node.sent.get(resource) ?? 0) + 1)
      node.bytes += JSON.stringify(object).length
    }
  }
}

function peer(node: string): NodePeer {
  return { node, session: node, skerry: true, epoch: 'db', keepsServices: true }
}

test('a namespace with pods on 1,000 nodes, whose 100 services change each second, costs each node a bounded amount', async () => {
  const [clock, kubernetes, fleet, stop] = [new FakeClock(), new FakeKubernetes(), new Fleet(), new AbortController()]
  const names = Array.from({ length: 100 }, (_, index) => `till-${index}`)
  for (const name of names) {
    await kubernetes.create(SERVICES, 'shop', {
      metadata: { name, namespace: 'shop' },
      spec: { clusterIP: '10.0.0.1' },
    })
  }
  const metrics = createMetrics()
  const ground = { kubernetes, clock, random: countingRandom(), log: silentLogger, metrics }
  const source = new ServiceSource({
    ...ground,
    hub: fleet.hub(),
    limits: { ...DEFAULT_SERVICE_LIMITS, every: seconds(EVERY), roundBytes: ROUND_BYTES },
    workloads: {
      pods: { isReady: () => true },
      namespacesOf: () => new Set(['shop']),
      onNamespaces: () => ({ [Symbol.dispose]: () => undefined }),
    },
  })
  fleet.source = source
  const running = source.run(stop.signal)
  source.start()
  for (let index = 0; index < 1000; index++) fleet.join(`edge-${index}`)
  for (let second = 0; second < EVERY; second++) await clock.advance(ms(1000))
  for (const { has } of fleet.nodes.values()) assert.equal(has.size, names.length + 1)
  assert.equal(kubernetes.watching, 3, 'whatever the number of nodes')
  fleet.looks.clear()
  for (const node of fleet.nodes.values()) {
    node.sent.clear()
    node.bytes = 0
  }
  for (let second = 0; second < 60; second++) {
    for (const name of names) {
      const spec = { ports: [{ port: 1000 + second }] }
      await kubernetes.patch(SERVICES, { namespace: 'shop', name }, { spec }, { type: 'merge' })
    }
    await clock.advance(ms(1000))
  }
  const rounds = 60 / EVERY
  for (const [name, { sent, bytes }] of fleet.nodes) {
    assert.ok(Math.max(...sent.values()) <= rounds, 'an object came more than once in an interval')
    assert.ok(bytes > 0 && bytes <= rounds * (ROUND_BYTES + 1024), `${bytes} bytes for a node`)
    assert.ok((fleet.looks.get(name) ?? 0) <= rounds)
  }
  // The one that waits longest goes first: in 300 s each has had its turn.
  for (let second = 0; second < 300; second++) await clock.advance(ms(1000))
  const { items } = await kubernetes.list(SERVICES, { namespace: 'shop' })
  for (const { has } of fleet.nodes.values()) {
    for (const { metadata } of items) {
      assert.equal(has.get(`shop/service/${metadata.name}`), `r${metadata.resourceVersion}`)
    }
  }
  assert.match(await metrics.text(), /services_changes_total\{outcome="coalesced"\} 5\d\d\d/)
  stop.abort(new Error('stop'))
  kubernetes.dropWatches()
  await clock.advance(ms(0))
  await running
  source[Symbol.dispose]()
})
