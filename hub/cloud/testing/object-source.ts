import type { KubeObject } from '../../../schemas/index.ts'
import type { Delivery, NodeSource } from '../cloudhub/delivery.ts'

export interface ObjectSource extends NodeSource {
  /** What each node should have, by uid; a test changes it and calls `hub.sync`. */
  readonly wanted: Map<string, Map<string, Delivery>>
  readonly refusals: string[]
  want(node: string, name: string, version: string, over?: Partial<Delivery>): void
  unwant(node: string, name: string): void
}

/** ConfigMaps that a test makes up. */
export function objectSource(): ObjectSource {
  const wanted = new Map<string, Map<string, Delivery>>()
  const refusals: string[] = []
  const addressOf = ({ kind, metadata }: KubeObject) => ({
    resource: `${metadata.namespace ?? 'null'}/${kind.toLowerCase()}/${metadata.name}`,
    source: 'edgecontroller',
  })
  return {
    name: 'objects',
    kinds: ['Node', 'ConfigMap'],
    wanted,
    refusals,
    isReady: () => true,
    deliveriesFor: (node) => [...(wanted.get(node)?.values() ?? [])],
    addressOf,
    refused: (node, object, reason) => void refusals.push(`${node} ${object.metadata.name}: ${reason}`),
    want(node, name, version, over = {}) {
      const ofNode = wanted.get(node) ?? new Map<string, Delivery>()
      wanted.set(node, ofNode)
      const metadata = { name, namespace: 'shop', uid: `uid-${name}`, resourceVersion: version }
      const object = over.object ?? { apiVersion: 'v1', kind: 'ConfigMap', metadata }
      ofNode.set(name, { object, ...addressOf(object), version, ...over })
    },
    unwant: (node, name) => void wanted.get(node)?.delete(name),
  }
}
