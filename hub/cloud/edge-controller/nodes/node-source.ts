import { MODULES, NO_NAMESPACE } from '../../../../schemas/index.ts'
import type { CloudHub, NodeSource } from '../../cloudhub/delivery.ts'
import { withoutEndpoint } from '../../cloudstream/kubelet-endpoint.ts'
import type { AnyObject, Informer } from '../../kubernetes/index.ts'
import { wantedVersion } from '../object-version.ts'

export interface NodeSourcePorts {
  readonly nodes: Informer<AnyObject>
  readonly hub: CloudHub
}

/** Each node's own Node, which a kubelet reads at the edge once it is told that it exists already. */
export function createNodeSource({ nodes, hub }: NodeSourcePorts): NodeSource & Disposable {
  const subscription = nodes.onChange((now, before) => {
    // Reports of status change a Node all the time.
    if (now && (!before || versionOf(now) !== versionOf(before))) hub.sync(now.metadata.name)
  })
  return {
    name: 'node',
    [Symbol.dispose]: () => subscription[Symbol.dispose](),
    kinds: ['Node'],
    isReady: () => nodes.isSynced,
    // A node without a Node is cut off, not told; only a predecessor of the same name is taken away.
    isUnsure: ({ metadata }) => nodes.get({ name: metadata.name }) === undefined,
    addressOf: ({ metadata }) => addressOf(metadata.name),
    deliveriesFor(name) {
      const node = nodes.get({ name })
      if (!node) return []
      const object = { ...forEdge(node), apiVersion: 'v1', kind: 'Node' }
      return [{ object, ...addressOf(name), version: versionOf(node), isAlwaysUpdate: true }]
    },
  }
}

const known = new WeakMap<AnyObject, AnyObject>()

function versionOf(node: AnyObject): string {
  return wantedVersion(forEdge(node))
}

/** With what it says of itself, and without our own marks: they are between cloud halves, and change without anything for the node to know. */
function forEdge(node: AnyObject): AnyObject {
  const present = known.get(node)
  if (present) return present
  const { annotations = {}, ...metadata } = node.metadata
  const kept = Object.entries(annotations).filter(([key]) => !key.startsWith('skerry.dev/'))
  const given = { ...withoutEndpoint(node), metadata: { ...metadata, annotations: Object.fromEntries(kept) } }
  known.set(node, given)
  return given
}

function addressOf(name: string) {
  return { resource: `${NO_NAMESPACE}/node/${name}`, source: MODULES.edgeController }
}
