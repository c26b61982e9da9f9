import { once } from 'node:events'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import type { JsonObject } from '../../../schemas/index.ts'
import { arrayAt, isJsonObject, objectAt, textAt } from '../../kube/object/index.ts'
import type { ApiObject } from '../../kube/resource.ts'
import { notFound, unreasoned } from '../../kube/status.ts'
import { keyOf } from '../../serving/objects/registry.ts'
import type { LocateNode } from '../../serving/streams/node-place.ts'
import type { ObjectStore } from '../storage/object-store.ts'

/** What the API shows kubelets, and how it knows them. */
export interface KubeletAccess {
  /** PEM: the client certificate with its key. */
  readonly certificate: string
  readonly privateKey: string
  /**
   * PEM of the authority by which the certificate shown at an address of a Node is checked, asked for each connection. Nothing:
   * it is taken as it is, as upstream does it by default. Throws where nobody can be believed there yet.
   */
  authorityAt?(host: string): string | undefined
}

const ADDRESS_TYPES = ['InternalIP', 'ExternalIP', 'Hostname']
const DEFAULT_PORT = 10250

/** Finds kubelets as Node objects tell of them. What is found throws a Status, in upstream's words. */
export function nodeLocator(store: Pick<ObjectStore, 'get'>, access: KubeletAccess): LocateNode {
  return (name, { isUnchecked = false, missedAs = 'nodes' } = {}) => {
    const node = store.get('/nodes', keyOf('', name))
    if (!node) throw notFound({ group: '', plural: missedAs }, name)
    const status = objectAt(node, 'status')
    const host = addressOf(node)
    const told = objectAt(objectAt(status, 'daemonEndpoints'), 'kubeletEndpoint')['Port']
    const port = typeof told === 'number' && told > 0 ? told : DEFAULT_PORT
    return {
      host,
      port,
      url: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
      connect: async (signal) =>
        await dial({ host, port }, access, isUnchecked ? undefined : access.authorityAt?.(host), signal),
    }
  }
}

function addressOf(node: ApiObject): string {
  const addresses = arrayAt(objectAt(node, 'status'), 'addresses').filter(isJsonObject)
  for (const type of ADDRESS_TYPES) {
    const found = addresses.find((each) => each['type'] === type)
    if (found) return textAt(found, 'address')
  }
  throw unreasoned(`no preferred addresses found; known addresses: [${addresses.map(goText).join(' ')}]`)
}

/** As Go prints a NodeAddress. */
function goText(address: JsonObject): string {
  return `{${textAt(address, 'type')} ${textAt(address, 'address')}}`
}

async function dial(
  { host, port }: { readonly host: string; readonly port: number },
  { certificate: cert, privateKey: key }: KubeletAccess,
  authority: string | undefined,
  signal: AbortSignal,
): Promise<TLSSocket> {
  const socket = connectTls({
    host,
    port,
    cert,
    key,
    ALPNProtocols: ['http/1.1'],
    // Chain and name, for an IP address among those of the certificate.
    ...(authority === undefined ? { rejectUnauthorized: false } : { ca: authority }),
  })
  try {
    await once(socket, 'secureConnect', { signal })
    socket.on('error', () => undefined)
    return socket
  } catch (error) {
    socket.on('error', () => undefined).destroy()
    throw error
  }
}
