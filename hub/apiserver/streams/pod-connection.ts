import { once } from 'node:events'
import { type Duplex, Readable } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { UnavailableError } from '../../../platform/lifecycle/index.ts'
import type { Clock } from '../../../platform/time/index.ts'
import { arrayAt, isJsonObject, nameOf, namespaceOf, objectAt, textAt } from '../../kube/object/index.ts'
import type { ApiObject } from '../../kube/resource.ts'
import { badRequest } from '../../kube/status.ts'
import type { NodePlace } from '../../serving/streams/node-place.ts'
import { nodeOf, podAt } from '../../serving/streams/pod-place.ts'
import { askUpgrade, beginningOf, type Connect, SpdyConnection, wordsOf } from '../../streaming/index.ts'
import type { ApiStreamPorts } from './ports.ts'

export interface PodPort {
  readonly namespace: string
  readonly name: string
  /** Empty: the first that its containers name. */
  readonly port: string
  readonly scheme: string
}

const LONGEST_WORDS = 4096

/**
 * A connection to a port of a pod. It goes through the kubelet of its node, as a port-forward does: the address of a pod at the edge
 * leads nowhere from here.
 */
export function podConnection(
  { namespace, name, port: asked, scheme }: PodPort,
  ports: ApiStreamPorts,
): { readonly host: string; readonly port: number; readonly connect: Connect } {
  const path = { group: '', version: 'v1', plural: 'pods', subresource: 'proxy', namespace, name }
  const pod = podAt(ports.store, path)
  const host = textAt(objectAt(pod, 'status'), 'podIP')
  if (host === '') throw badRequest('address not allowed')
  const port = portOf(pod, asked, scheme)
  const place = ports.locate(nodeOf(pod))
  return {
    host,
    port,
    async connect(signal) {
      const plain = await forwarded(pod, port, { place, clock: ports.clock }, signal)
      if (scheme !== 'https') return plain
      // As upstream: what runs in a pod has whatever certificate it likes.
      const secure = connectTls({ socket: plain, rejectUnauthorized: false })
      // Whoever uses it hears of its errors, too; what comes after a caller has left is nobody's.
      secure.on('error', () => undefined)
      try {
        await once(secure, 'secureConnect', { signal })
        return secure
      } catch (error) {
        secure.destroy()
        plain.destroy()
        throw error
      }
    },
  }
}

function portOf(pod: ApiObject, asked: string, scheme: string): number {
  const containers = arrayAt(objectAt(pod, 'spec'), 'containers').filter(isJsonObject)
  const declared = containers.flatMap((each) => arrayAt(each, 'ports').filter(isJsonObject))
  const named = declared.find((each) => each['name'] === asked)?.['containerPort']
  const first = asked === '' ? declared[0]?.['containerPort'] : named
  if (typeof first === 'number') return first
  const port = asked === '' ? (scheme === 'https' ? 443 : 80) : Number(asked)
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw badRequest(`invalid port ${JSON.stringify(asked)}`)
  return port
}

async function forwarded(
  pod: ApiObject,
  port: number,
  { place, clock }: { readonly place: NodePlace; readonly clock: Clock },
  signal: AbortSignal,
): Promise<Duplex> {
  const answer = await askUpgrade(
    {
      ...{ connect: place.connect, clock, method: 'POST' },
      path: `/portForward/${namespaceOf(pod)}/${nameOf(pod)}`,
      headers: {
        host: 'node',
        connection: 'Upgrade',
        upgrade: 'SPDY/3.1',
        'x-stream-protocol-version': 'portforward.k8s.io',
        'content-length': 0,
      },
    },
    signal,
  )
  if (!answer.isUpgraded) {
    const words = await wordsOf(answer.response, LONGEST_WORDS, clock)
    answer.socket.destroy()
    throw unreachable(words)
  }
  const connection = new SpdyConnection(answer.socket, answer.head, { role: 'client', clock })
  try {
    const headers = { port: String(port), requestid: '0' }
    const errors = await connection.open({ ...headers, streamtype: 'error' }, signal)
    errors.end()
    const data = await connection.open({ ...headers, streamtype: 'data' }, signal)
    void beginningOf(Readable.from(errors), LONGEST_WORDS).then((words) => {
      if (words !== '') data.destroy(unreachable(words))
    })
    data.once('close', () => connection.close())
    return data
  } catch (error) {
    connection[Symbol.dispose]()
    throw error
  }
}

function unreachable(words: string): UnavailableError {
  return new UnavailableError('The port of the pod cannot be reached', {
    code: 'HUB_API_POD_PORT',
    cause: new Error(words.trim()),
  })
}
