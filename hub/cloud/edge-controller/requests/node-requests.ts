import type { JsonObject } from '../../../../schemas/index.ts'
import { reportBeside, withoutEndpoint } from '../../cloudstream/kubelet-endpoint.ts'
import { isJsonObject } from '../../kubernetes/guards.ts'
import { type AnyObject, type Informer, type Kubernetes, LEASES, NODES } from '../../kubernetes/index.ts'
import { type Ask, asJson, bodyOf, foreign, found, objectOf, type RequestTable, refused } from './ask.ts'

export const LEASE_NAMESPACE = 'kube-node-lease'

/**
 * What a node says of itself: its Node and its Lease. Where its kubelet is reached, the cloud says: a report leaves that as it is, and
 * the node hears of its own addresses.
 */
export function nodeRequests(kubernetes: Kubernetes, nodes: Pick<Informer<AnyObject>, 'get'>): RequestTable {
  const own = (ask: Ask) => {
    if (ask.name !== ask.node) throw foreign(`a node may only speak of itself, not of ${ask.name}`)
    return { name: ask.node }
  }
  const ownLease = (ask: Ask) => {
    own(ask)
    if (ask.namespace !== LEASE_NAMESPACE) throw refused('BadRequest', `leases of nodes are in ${LEASE_NAMESPACE}`)
    return { namespace: LEASE_NAMESPACE, name: ask.node }
  }
  const ownObject = (ask: Ask) => {
    const named = bodyOf(ask)['metadata']
    // Told apart from an object that is merely wrong: this one is another node's.
    if (isJsonObject(named) && typeof named['name'] === 'string' && named['name'] !== ask.node) {
      throw foreign(`a node may only speak of itself, not of ${named['name']}`)
    }
    return ask.type === 'node' ? bodyOf(ask) : objectOf(ask)
  }
  const patchStatus = async (ask: Ask, status: JsonObject, signal: AbortSignal) => {
    const options = { type: 'strategic', subresource: 'status' } as const
    const at = own(ask)
    return told(await kubernetes.patch(NODES, at, reportBeside(nodes.get(at), status), options, signal))
  }
  return {
    'insert node': {
      shape: 'object',
      async perform(ask, signal) {
        own(ask)
        return asJson(await kubernetes.create(NODES, undefined, permitted(ownObject(ask), ask), signal))
      },
    },
    // KubeEdge's node update merges labels and annotations into the Node that is there.
    'update node': {
      shape: 'ok',
      async perform(ask, signal) {
        const at = own(ask)
        const { metadata } = permitted(ownObject(ask), ask)
        const { labels, annotations } = metadata
        const body = { metadata: { labels, annotations } }
        return told(await kubernetes.patch(NODES, at, body, { type: 'merge' }, signal))
      },
    },
    'query node': {
      shape: 'bare',
      perform: async (ask, signal) => told(await found(kubernetes, NODES, own(ask), signal)),
    },
    'patch nodepatch': {
      shape: 'object',
      // The patch may carry metadata, too (annotations of volumes); only status counts here.
      perform: (ask, signal) => patchStatus(ask, recordIn(bodyOf(ask)['status']), signal),
    },
    // Body of KubeEdge 1.11 and older: {UID, Status, ExtendResources}.
    'update nodestatus': {
      shape: 'ok',
      perform: (ask, signal) => patchStatus(ask, recordIn(bodyOf(ask)['Status']), signal),
    },
    'query lease': {
      shape: 'object',
      perform: async (ask, signal) => asJson(await found(kubernetes, LEASES, ownLease(ask), signal)),
    },
    'insert lease': {
      shape: 'object',
      async perform(ask, signal) {
        ownLease(ask)
        return asJson(await kubernetes.create(LEASES, LEASE_NAMESPACE, ownObject(ask), signal))
      },
    },
    'update lease': {
      shape: 'object',
      perform: async (ask, signal) =>
        asJson(await kubernetes.replace(LEASES, ownLease(ask), ownObject(ask), {}, signal)),
    },
  }
}

function told(node: AnyObject) {
  return asJson(withoutEndpoint(node))
}

function recordIn(value: JsonObject[string] | undefined): JsonObject {
  return isJsonObject(value) ? value : {}
}

/**
 * What a node may say of its Node: of the metadata its labels and annotations. Finalizers and owners would say when it goes. The
 * name of the request counts also where its own is missing.
 */
function permitted(object: JsonObject, { name }: Ask) {
  const { labels, annotations } = isJsonObject(object['metadata']) ? object['metadata'] : {}
  return {
    ...object,
    metadata: { name, labels: without(labels, isReserved), annotations: without(annotations, isOurs) },
  }
}

function without(texts: JsonObject[string] | undefined, isLeftOut: (key: string) => boolean): JsonObject {
  const entries = isJsonObject(texts) ? Object.entries(texts) : []
  return Object.fromEntries(entries.filter(([key]) => !isLeftOut(key)))
}

/** Those would draw to the node what is meant for the control plane, credentials and all. */
const CONTROL_PLANE: ReadonlySet<string> = new Set([
  'node-role.kubernetes.io/control-plane',
  'node-role.kubernetes.io/master',
])

/** As the NodeRestriction admission plugin holds: labels under node-restriction.kubernetes.io/ are the administrators'. */
function isReserved(label: string): boolean {
  return label.includes('node-restriction.kubernetes.io/') || CONTROL_PLANE.has(label)
}

/** Marks between cloud halves. */
function isOurs(annotation: string): boolean {
  return annotation.startsWith('skerry.dev/')
}
