import { type Clock, seconds, withDeadline } from '../../../platform/time/index.ts'
import { type AnyObject, type Informer, type Kubernetes, PODS } from '../kubernetes/index.ts'
import { ownAddresses } from './kubelet-endpoint.ts'
import type { KubeletRequest } from './kubelet-path.ts'

/** What a request says of the node that it means, besides its path. */
export interface NodeHints {
  /** Whose port it came to. */
  readonly ofPort?: string
  readonly serverName?: string
  /** As in the header. */
  readonly host?: string
}

export type FoundNode =
  | { readonly ok: true; readonly node: string }
  | { readonly ok: false; readonly status: 400 | 404 | 503; readonly text: string; readonly error?: unknown }

export interface FindNodePorts {
  readonly kubernetes: Kubernetes
  readonly nodes: Informer<AnyObject>
  readonly clock: Clock
}

const WITHIN = seconds(10)

/** The node of a request: that of its port, else that of its pod, else the one that it is addressed to by name or address. */
export async function findNode(
  hints: NodeHints,
  request: KubeletRequest,
  ports: FindNodePorts,
  signal: AbortSignal,
): Promise<FoundNode> {
  if (hints.ofPort !== undefined) return { ok: true, node: hints.ofPort }
  if (request.pod) return await nodeOfPod(request, request.pod, ports, signal)
  const node = nodeAddressed(hints, ports.nodes)
  if (node !== undefined) return { ok: true, node }
  const text = 'no node has this name or address: ask at the port of the node, or with its name as host'
  return { ok: false, status: 404, text }
}

async function nodeOfPod(
  { what }: KubeletRequest,
  at: { readonly namespace: string; readonly name: string },
  { kubernetes, clock }: FindNodePorts,
  signal: AbortSignal,
): Promise<FoundNode> {
  try {
    const pod = await withDeadline(clock, WITHIN, signal, (limited) => kubernetes.get(PODS, at, limited))
    const node = pod?.spec?.['nodeName']
    if (typeof node === 'string' && node !== '') return { ok: true, node }
    // As a kubelet says it, which knows only the pods that it runs.
    const text = what === 'logs' ? `pod ${JSON.stringify(at.name)} does not exist` : 'pod does not exist'
    return { ok: false, status: 404, text }
  } catch (error) {
    signal.throwIfAborted()
    return { ok: false, status: 503, text: 'the Kubernetes API does not say now where the pod is: try again', error }
  }
}

/** By name; or by its own address, which is how API servers call nodes whose traffic a packet filter leads here. */
function nodeAddressed({ serverName, host }: NodeHints, nodes: Informer<AnyObject>): string | undefined {
  const asked = hostOf(host)
  for (const name of [serverName, asked]) if (name && nodes.get({ name: name.toLowerCase() })) return name.toLowerCase()
  if (asked === undefined) return undefined
  const [only, ...others] = nodes.list().filter((node) => ownAddresses(node).some(({ address }) => address === asked))
  return others.length === 0 ? only?.metadata.name : undefined
}

/** Without port and brackets. */
function hostOf(header: string | undefined): string | undefined {
  const found = /^(?:\[([^\]]+)\]|([^:]+))(?::\d+)?$/.exec(header ?? '')
  return found?.[1] ?? found?.[2]
}
