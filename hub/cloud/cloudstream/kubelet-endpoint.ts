import type { Json, JsonObject } from '../../../schemas/index.ts'
import { isJsonObject, parseJson } from '../kubernetes/guards.ts'
import type { AnyObject } from '../kubernetes/index.ts'

/** Where an API server reaches the kubelet of a node. */
export interface KubeletEndpoint {
  /** An IP address; absent where the addresses of the node stay as they are, because packet filters lead to the tunnel. */
  readonly address?: string
  readonly port: number
  /** Which process has the tunnel. */
  readonly replica: string
}

export interface NodeAddress {
  readonly type: string
  readonly address: string
}

/** An endpoint as it stands in a Node, with what the node says of itself. */
interface Placed extends KubeletEndpoint {
  readonly own: { readonly addresses: readonly NodeAddress[]; readonly port: number }
}

/** Ours, and so out of reach of nodes. */
const ENDPOINT = 'skerry.dev/kubelet-endpoint'
/** What the node says of its addresses while others stand in its status: `InternalIP=192.0.2.7 Hostname=gateway-1`. */
const ADDRESSES = 'skerry.dev/addresses'
const MOST_ADDRESSES = 32

/** What is in place now, whoever put it there. */
export function placedIn({ metadata: { annotations = {} } }: AnyObject): Placed | undefined {
  const said = parseJson(annotations[ENDPOINT] ?? '')
  if (!isJsonObject(said)) return undefined
  const { address, port, replica, ownPort } = said
  if (typeof port !== 'number' || typeof replica !== 'string') return undefined
  const own = { addresses: addressesOf(annotations[ADDRESSES] ?? ''), port: typeof ownPort === 'number' ? ownPort : 0 }
  return { ...(typeof address === 'string' ? { address } : {}), port, replica, own }
}

/** What the node says of itself, whatever stands in its status. */
export function ownAddresses(node: AnyObject): readonly NodeAddress[] {
  const placed = placedIn(node)
  const present = addressesIn(node.status?.['addresses'])
  // Somebody who knew nothing of the endpoint may have written a report over it.
  return placed?.address === undefined || !isOnly(present, placed.address) ? present : placed.own.addresses
}

/** A merge patch of the status that puts the endpoint in its place; nothing where it is there. */
export function patchToPlace(node: AnyObject, endpoint: KubeletEndpoint): JsonObject | undefined {
  const placed = placedIn(node)
  const port = portIn(node.status)
  const ownPort = placed === undefined || placed.port !== port ? port : placed.own.port
  const next: Placed = { ...endpoint, own: { addresses: ownAddresses(node), port: ownPort } }
  const marks = marksOf(next)
  const { annotations = {} } = node.metadata
  const isMarked = Object.entries(marks).every(([name, text]) => annotations[name] === text)
  if (isMarked && port === endpoint.port && isSame(addressesIn(node.status?.['addresses']), shown(next)))
    return undefined
  return {
    metadata: { ...versionOf(node), annotations: marks },
    status: { addresses: plain(shown(next)), daemonEndpoints: { kubeletEndpoint: { Port: endpoint.port } } },
  }
}

/** A merge patch of the status that gives the Node back what it says of itself; nothing where no endpoint is in place. */
export function patchToRemove(node: AnyObject): JsonObject | undefined {
  const placed = placedIn(node)
  if (!placed) return undefined
  return {
    metadata: { ...versionOf(node), annotations: { [ENDPOINT]: null, [ADDRESSES]: null } },
    status: { addresses: plain(ownAddresses(node)), daemonEndpoints: { kubeletEndpoint: { Port: placed.own.port } } },
  }
}

/**
 * The body of a strategic merge patch with what a node reports of its status. Where an endpoint is in place, what it says of its
 * addresses and of its kubelet's port goes into the marks, and the endpoint stays.
 */
export function reportBeside(node: AnyObject | undefined, report: JsonObject): JsonObject {
  const placed = node && placedIn(node)
  if (!placed) return { status: report }
  const { addresses, daemonEndpoints, ['$setElementOrder/addresses']: _order, ...rest } = report
  const own = {
    addresses: addresses === undefined ? placed.own.addresses : addressesIn(addresses),
    port: daemonEndpoints === undefined ? placed.own.port : portIn({ daemonEndpoints }),
  }
  const next: Placed = { ...placed, own }
  const isNews = own.port !== placed.own.port || !isSame(own.addresses, placed.own.addresses)
  return {
    ...(isNews ? { metadata: { annotations: marksOf(next) } } : {}),
    // Without it a list of addresses is merged by their types, and old ones would stay.
    status: {
      ...rest,
      ...(addresses === undefined ? {} : { addresses: [{ $patch: 'replace' }, ...plain(shown(next))] }),
    },
  }
}

/** The Node as it is told to the node itself: with what that says of itself. */
export function withoutEndpoint(node: AnyObject): AnyObject {
  const placed = placedIn(node)
  if (!placed) return node
  const daemonEndpoints = { kubeletEndpoint: { Port: placed.own.port } }
  return { ...node, status: { ...node.status, addresses: plain(ownAddresses(node)), daemonEndpoints } }
}

/**
 * An API server takes the first address of the type that it prefers, by default a host name. So the endpoint is the only one; and
 * those of a gateway are no external addresses that others should publish.
 */
function shown({ address, own }: Placed): readonly NodeAddress[] {
  return address === undefined ? own.addresses : [{ type: 'InternalIP', address }]
}

function isOnly(addresses: readonly NodeAddress[], address: string): boolean {
  return addresses.length === 1 && addresses[0]?.address === address
}

function marksOf({ own, address, port, replica }: Placed): Readonly<Record<string, string>> {
  return {
    [ENDPOINT]: JSON.stringify({ ...(address === undefined ? {} : { address }), port, replica, ownPort: own.port }),
    [ADDRESSES]: own.addresses.map((each) => `${each.type}=${each.address}`).join(' '),
  }
}

function addressesOf(mark: string): readonly NodeAddress[] {
  return mark.split(' ').flatMap((each) => {
    const [type = '', address = ''] = each.split('=')
    return type === '' || address === '' ? [] : [{ type, address }]
  })
}

/** Directives of a patch are none. */
function addressesIn(list: Json | undefined): readonly NodeAddress[] {
  if (!Array.isArray(list)) return []
  return list
    .flatMap((each: Json) => {
      if (!isJsonObject(each)) return []
      const { type, address } = each
      return isWord(type) && isWord(address) ? [{ type, address }] : []
    })
    .slice(0, MOST_ADDRESSES)
}

function isWord(value: Json | undefined): value is string {
  return typeof value === 'string' && /^[^\s=]{1,253}$/.test(value)
}

function portIn(status: JsonObject | undefined): number {
  const endpoints = status?.['daemonEndpoints']
  const kubelet = isJsonObject(endpoints) ? endpoints['kubeletEndpoint'] : undefined
  const port = isJsonObject(kubelet) ? kubelet['Port'] : undefined
  return typeof port === 'number' ? port : 0
}

function isSame(a: readonly NodeAddress[], b: readonly NodeAddress[]): boolean {
  return a.length === b.length && a.every(({ type, address }, at) => b[at]?.type === type && b[at].address === address)
}

function plain(addresses: readonly NodeAddress[]) {
  return addresses.map(({ type, address }) => ({ type, address }))
}

function versionOf({ metadata: { resourceVersion } }: AnyObject): JsonObject {
  return resourceVersion === undefined ? {} : { resourceVersion }
}
