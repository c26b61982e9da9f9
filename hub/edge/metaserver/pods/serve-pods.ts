import { once } from 'node:events'
import { connect } from 'node:net'
import type { Metrics } from '../../../../platform/health/index.ts'
import type { Clock } from '../../../../platform/time/index.ts'
import { refusal } from '../../../kube/rbac/index.ts'
import { badRequest, methodNotAllowed, unavailable } from '../../../kube/status.ts'
import type { Reply } from '../../../serving/answers/answer.ts'
import { attributesOf } from '../../../serving/requests/request-attributes.ts'
import type { AskedResource } from '../../../serving/requests/resource-request.ts'
import { podLog } from '../../../serving/streams/pod-log.ts'
import { podCommand, podForward } from '../../../serving/streams/pod-streams.ts'
import type { StreamPorts } from '../../../serving/streams/stream-ports.ts'
import { StreamRoom } from '../../../serving/streams/stream-room.ts'
import type { Rights } from '../access/rights.ts'
import type { NodeObjects } from '../objects/node-objects.ts'

export interface PodPorts {
  readonly objects: NodeObjects
  readonly rights: Rights
  /** Path of Edged's socket; undefined where this node runs no pods, or not yet. */
  readonly edged: () => string | undefined
  readonly clock: Clock
  readonly metrics: Metrics
}

/** Streams at the same time, and of one user. */
const BOUNDS = { most: 64, mostOfUser: 32 }
const SERVED: ReadonlySet<string> = new Set(['log', 'exec', 'attach', 'portforward'])

/** Whether a request is for what runs in a pod. */
export function isOfPod({ path: { group, plural, subresource } }: Pick<AskedResource, 'path'>): boolean {
  return group === '' && plural === 'pods' && SERVED.has(subresource)
}

/** Logs, commands and ports of the pods of this node, by Edged on this node: the cloud has no part in it. Throws a Status. */
export function servePods({
  objects,
  rights,
  edged,
  clock,
  metrics,
}: PodPorts): (asked: AskedResource) => Promise<Reply> {
  const room = new StreamRoom(BOUNDS)
  metrics
    .gauge({
      name: 'skerry_metaserver_streams',
      help: 'Logs, commands and ports of pods that clients of MetaServer have open.',
    })
    .follow(() => room.taken)
  const ports: StreamPorts = { store: objects, locate: () => edgedPlace(edged()), room, clock }
  return async (asked) => {
    const { path, url, verb, user } = asked
    // Reading is not enough to run something, whatever the method of a WebSocket is.
    const attributes = attributesOf(url, path.subresource === 'log' ? (verb ?? '') : 'create', path)
    const decision = rights.decide(user, attributes)
    if (!decision?.allowed) throw refusal(user, attributes, decision?.reason ?? 'its rights are not known on this node')
    switch (path.subresource) {
      case 'log':
        if (verb !== 'get') throw methodNotAllowed()
        return await podLog(asked, ports)
      case 'exec':
      case 'attach':
        return await podCommand(path.subresource, asked, ports)
      case 'portforward':
        return await podForward(asked, ports)
      default:
        throw badRequest(`pods have no ${path.subresource} here`)
    }
  }
}

function edgedPlace(path: string | undefined) {
  if (path === undefined) throw unavailable('this node runs no pods now')
  return {
    ...{ host: '127.0.0.1', port: 0, url: 'http://edged' },
    async connect(signal: AbortSignal) {
      const socket = connect(path)
      socket.on('error', () => undefined)
      await once(socket, 'connect', { signal })
      return socket
    },
  }
}
