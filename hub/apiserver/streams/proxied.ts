import { isIP } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { badRequest, StatusError, unreasoned } from '../../kube/status.ts'
import type { Relay } from '../../serving/answers/answer.ts'
import { takeSocket } from '../../serving/http/take-socket.ts'
import { askNode } from '../../serving/streams/ask-node.ts'
import { dialError } from '../../serving/streams/dial-error.ts'
import { answeredHeaders, forwardedHeaders, upgradeHeaders } from '../../serving/streams/forwarded-headers.ts'
import { isUpgrade } from '../../serving/streams/pod-streams.ts'
import type { StreamRequest } from '../../serving/streams/stream-ports.ts'
import { askUpgrade, type Connect, relayUpgrade } from '../../streaming/index.ts'
import { podConnection } from './pod-connection.ts'
import type { ApiStreamPorts } from './ports.ts'
import { serviceTarget } from './service-target.ts'

/** Where a proxied request goes. */
interface Target {
  readonly host: string
  readonly port: number
  readonly connect: Connect
}

/** `proxy` of a node (its kubelet alone), a pod or a service. Throws a Status. */
export async function proxied(asked: StreamRequest, ports: ApiStreamPorts): Promise<Relay> {
  const target = targetOf(asked, ports)
  const { rest, isBare } = restOf(asked)
  // So that relative links of a page lead to its own place.
  if (isBare && (asked.sent.method === 'GET' || asked.sent.method === 'HEAD')) return movedTo(asked)
  const path = `${rest}${asked.url.search}`
  return isUpgrade(asked.sent) ? await upgraded(asked, ports, target, path) : await plain(asked, ports, target, path)
}

function targetOf(asked: StreamRequest, ports: ApiStreamPorts): Target {
  const { plural, namespace, name: id } = asked.path
  const { scheme, name, port } = splitId(id, plural.slice(0, -1))
  if (plural === 'services') return serviceTarget({ namespace, name, port, scheme }, ports)
  if (plural === 'pods') return podConnection({ namespace, name, port, scheme }, ports)
  const place = ports.locate(name)
  // The other ports of a node are behind its router; the way to it leads to its kubelet.
  if (port !== '' && port !== String(place.port)) throw badRequest('address not allowed')
  return place
}

/** `name`, `name:port` or `scheme:name:port`. */
function splitId(id: string, kind: string): { readonly scheme: string; readonly name: string; readonly port: string } {
  const parts = id.split(':')
  const [scheme, name, port] = parts.length === 3 ? parts : ['', ...parts, '']
  const isValid = parts.length <= 3 && (scheme === '' || scheme === 'http' || scheme === 'https') && name !== ''
  if (!isValid || name === undefined) throw badRequest(`invalid ${kind} request ${JSON.stringify(id)}`)
  return { scheme: scheme ?? '', name, port: port ?? '' }
}

/** What stands behind `proxy`, as it came. */
function restOf({ url, path }: StreamRequest): { readonly rest: string; readonly isBare: boolean } {
  const before = path.namespace === '' ? 5 : 7
  const rest = url.pathname.split('/').slice(before + 1)
  return { rest: `/${rest.join('/')}`, isBare: rest.length === 0 }
}

function movedTo({ url }: StreamRequest): Relay {
  return {
    code: 301,
    drop: () => undefined,
    async relay({ response }) {
      response.writeHead(301, { location: `${url.pathname}/${url.search}` }).end()
    },
  }
}

async function upgraded(asked: StreamRequest, ports: ApiStreamPorts, target: Target, path: string): Promise<Relay> {
  const { sent, signal, user } = asked
  const room = ports.room.take(user)
  try {
    const headers = upgradeHeaders(sent)
    const request = { connect: target.connect, method: sent.method, path, headers, clock: ports.clock }
    const answer = await askUpgrade(request, signal)
    const drop = () => {
      answer.socket.destroy()
      room[Symbol.dispose]()
    }
    return {
      code: answer.response.statusCode ?? 0,
      drop,
      async relay(exchange, ended) {
        using _room = room
        const taken = takeSocket(exchange)
        if (taken) await relayUpgrade(taken, answer, { clock: ports.clock }, ended)
        else drop()
      },
    }
  } catch (error) {
    room[Symbol.dispose]()
    throw failed(error, asked, target)
  }
}

/** The body goes on as it comes, so the target is asked when there is one to take it from. */
async function plain(asked: StreamRequest, ports: ApiStreamPorts, target: Target, path: string): Promise<Relay> {
  const room = ports.room.take(asked.user)
  return {
    code: 200,
    drop: () => room[Symbol.dispose](),
    async relay({ request, response }, signal) {
      using _room = room
      const headers = forwardedHeaders(asked.sent)
      const method = asked.sent.method
      const options = { connect: target.connect, clock: ports.clock, method, path, headers, body: request }
      const answer = await askNode(options, signal).catch((error: unknown) => {
        throw failed(error, asked, target)
      })
      try {
        response.writeHead(answer.response.statusCode ?? 502, {
          ...answeredHeaders(answer.response),
          // What was not read of the body must not be taken for the next request.
          ...(request.complete ? {} : { connection: 'close' }),
        })
        await pipeline(answer.response, response, { signal })
      } catch (error) {
        response.destroy()
        if (!signal.aborted && answer.response.complete) throw error
      } finally {
        answer.close()
      }
    },
  }
}

function failed(error: unknown, { signal }: StreamRequest, target: Target): unknown {
  if (signal.aborted || error instanceof StatusError) return error
  const host = isIP(target.host) === 6 ? `[${target.host}]` : target.host
  return unreasoned(`error trying to reach service: ${dialError(error, { ...target, host })}`, error)
}
