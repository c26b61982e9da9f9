import type { IncomingMessage } from 'node:http'
import { pipeline } from 'node:stream/promises'
import type { Clock } from '../../../platform/time/index.ts'
import { nameOf, namespaceOf } from '../../kube/object/index.ts'
import { badRequest, internalError, type StatusError, unreasoned } from '../../kube/status.ts'
import { wordsOf } from '../../streaming/index.ts'
import type { Relay } from '../answers/answer.ts'
import { askNode, type NodeAnswer } from './ask-node.ts'
import { dialError } from './dial-error.ts'
import { logOptions } from './log-options.ts'
import { answeredByServer } from './other-server.ts'
import { containerOf, nodeOf, podAt } from './pod-place.ts'
import type { StreamPorts, StreamRequest } from './stream-ports.ts'

/** Of what a kubelet says instead of a log. */
const LONGEST_WORDS = 50_000

/** `GET pods/NAME/log`: what the node has of it. Throws a Status. */
export async function podLog(asked: StreamRequest, ports: StreamPorts): Promise<Relay> {
  const { path, url, user, signal } = asked
  const options = logOptions(url.searchParams, path.name)
  const pod = podAt(ports.store, path)
  const container = containerOf(pod, options.container)
  const node = nodeOf(pod)
  if (node === '') return NOTHING
  const place = ports.locate(node, { isUnchecked: options.isUnchecked, missedAs: 'pods' })
  const query = options.query.toString()
  const target = `/containerLogs/${namespaceOf(pod)}/${nameOf(pod)}/${container}${query === '' ? '' : `?${query}`}`
  const room = ports.room.take(user)
  let answer: NodeAnswer
  try {
    answer = await askNode({ connect: place.connect, method: 'GET', path: target, clock: ports.clock }, signal)
    const { statusCode = 0 } = answer.response
    if (statusCode < 200 || statusCode > 206) throw await failed(answer, path.name, ports.clock)
  } catch (error) {
    room[Symbol.dispose]()
    if (signal.aborted || isStatus(error)) throw error
    throw unreasoned(`Get "${place.url}${target}": ${dialError(error, place)}`, error)
  }
  const drop = () => {
    answer.close()
    room[Symbol.dispose]()
  }
  return {
    code: 200,
    drop,
    async relay({ response }, ended) {
      try {
        response.writeHead(200, { 'content-type': 'text/plain' })
        response.flushHeaders()
        await pipeline(answer.response, response, { signal: ended })
      } catch (error) {
        // A log that breaks off must not look like one that ended: the connection of the client breaks off, too.
        response.destroy()
        if (!ended.aborted && !isBroken(answer.response)) throw error
      } finally {
        drop()
      }
    },
  }
}

/** Of a pod that is nowhere yet. */
const NOTHING: Relay = {
  code: 204,
  drop: () => undefined,
  async relay({ response }) {
    response.writeHead(204).end()
  },
}

async function failed({ response, close }: NodeAnswer, name: string, clock: Clock): Promise<StatusError> {
  const words = await wordsOf(response, LONGEST_WORDS, clock)
  close()
  const code = response.statusCode ?? 0
  if (code === 500) return internalError(words)
  if (code === 400) return badRequest(words)
  return answeredByServer(code, { plural: 'pods/log', name, words })
}

function isBroken(response: IncomingMessage): boolean {
  return !response.complete
}

function isStatus(error: unknown): error is StatusError {
  return error instanceof Error && 'status' in error
}
