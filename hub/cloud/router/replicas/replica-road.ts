import { request as httpRequest, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { connect, type TLSSocket } from 'node:tls'
import { type Counter, type Metrics, silentMetrics } from '../../../../platform/health/index.ts'
import { readBody } from '../../../../platform/http/index.ts'
import { type Clock, type Duration, ms, seconds, withDeadline } from '../../../../platform/time/index.ts'
import type { CloudAuthority, ServingCertificate } from '../../authority/cloud-authority.ts'
import { placeOfNode } from '../../cloudhub/session-lease.ts'
import type { AnyObject, Informer } from '../../kubernetes/index.ts'
import type { ServiceCall } from '../serving/service-calls.ts'
import type { Publication, PublishOptions } from '../targets/event-bus.ts'
import type { StreamWay } from '../targets/service-stream.ts'
import { publishHop, serviceHop } from './hop.ts'
import { awayError, type Outcome, readOutcome } from './publish-answer.ts'

export interface ReplicaRoadPorts {
  readonly authority: Pick<CloudAuthority, 'caPem' | 'isReplica'>
  /** What this replica shows. */
  readonly identity: ServingCertificate
  /** `<address>:<port>` of this replica. */
  readonly own: string
  readonly sessionLeases: Pick<Informer<AnyObject>, 'get'>
  readonly clock: Clock
  readonly metrics?: Metrics
}

/** A replica that is there answers in a moment; one that went without a word answers never. */
const CONNECT_WITHIN = seconds(2)
/** The other one says itself that a deadline has passed. */
const ROAD_MS = 1000
const MOST_ANSWER = 64 * 1024

/**
 * To the replica that has a node: each call over a connection of its own, by mutual TLS, so that none can be taken for another or sent
 * twice. Where that replica cannot be reached, the node counts as away.
 */
export class ReplicaRoad {
  readonly #ports: ReplicaRoadPorts
  readonly #passed: Counter

  constructor(ports: ReplicaRoadPorts) {
    this.#ports = ports
    this.#passed = (ports.metrics ?? silentMetrics).counter({
      name: 'skerry_router_passed_on_total',
      help: 'Calls that were passed on to the replica that has the node, by kind; unreachable: it could not be reached.',
      labels: ['kind'],
    })
  }

  /** Another replica that has claimed the node. */
  placeOf(node: string): string | undefined {
    const place = placeOfNode(this.#ports.sessionLeases, node)
    return place === this.#ports.own ? undefined : place
  }

  async publish(place: string, publication: Publication, options: PublishOptions): Promise<Outcome> {
    const { clock } = this.#ports
    const { node } = publication
    const { deadline, signal } = options
    const began = clock.monotonic()
    const socket = await this.#open(place, node, signal)
    this.#passed.add(1, { kind: 'publish' })
    const left = ms(Math.max(1, Math.ceil(deadline.milliseconds - (clock.monotonic() - began))))
    const patience: Duration = ms(left.milliseconds + ROAD_MS)
    try {
      const hop = publishHop(publication, { ...options, deadline: left })
      const exchange = () => ask(socket, hop, publication.payload)
      const text = await withDeadline(clock, patience, signal, exchange)
      const outcome = readOutcome(node, text)
      if (typeof outcome === 'string') return outcome
      throw outcome ?? awayError(node, true)
    } catch (error) {
      signal?.throwIfAborted()
      throw error instanceof Broken ? awayError(node, true, error) : error
    } finally {
      socket.destroy()
    }
  }

  /** The call as it goes to the other replica, by `wayTo`. */
  serviceCall(exchange: ServiceCall): ServiceCall {
    const { call, limits } = exchange
    const headers = { ...call.headers, ...serviceHop(call.node, limits) }
    return { ...exchange, call: { ...call, headers } }
  }

  wayTo(place: string, node: string): StreamWay {
    return {
      open: async (_node, _target, signal) => {
        const socket = await this.#open(place, node, signal)
        this.#passed.add(1, { kind: 'service' })
        return socket
      },
      broken: (cause) => awayError(node, true, cause),
    }
  }

  async #open(place: string, node: string, signal: AbortSignal | undefined): Promise<TLSSocket> {
    const { clock } = this.#ports
    try {
      return await withDeadline(clock, CONNECT_WITHIN, signal, (limited) => this.#dial(place, limited))
    } catch (error) {
      signal?.throwIfAborted()
      this.#passed.add(1, { kind: 'unreachable' })
      throw awayError(node, false, error)
    }
  }

  #dial(place: string, signal: AbortSignal): Promise<TLSSocket> {
    const { authority, identity } = this.#ports
    const { host, port } = addressIn(place)
    return new Promise((resolve, reject) => {
      const socket = connect({
        ...{ host, port, ca: authority.caPem, cert: identity.certificatePem, key: identity.keyPem },
        minVersion: 'TLSv1.3',
        // By what it is, below, and not by where it is: addresses of pods are used again.
        checkServerIdentity: () => undefined,
      })
      const onAbort = () => socket.destroy()
      signal.addEventListener('abort', onAbort, { once: true })
      socket.once('close', () => reject(new Error('the replica closed the connection')))
      // Of use until it is open; later whoever speaks over it is told.
      socket.on('error', reject)
      socket.once('secureConnect', () => {
        signal.removeEventListener('abort', onAbort)
        if (authority.isReplica(socket.getPeerX509Certificate())) return resolve(socket)
        socket.destroy()
        reject(new Error('whoever listens there is no replica'))
      })
    })
  }
}

function ask(socket: Socket, { path, headers }: ReturnType<typeof publishHop>, payload: Uint8Array): Promise<string> {
  return new Promise((resolve, reject) => {
    const broken = (cause: unknown) => reject(new Broken('the replica broke off', { cause }))
    const created = httpRequest(
      {
        createConnection: () => socket,
        ...{ method: 'POST', path, setHost: false, headers: { ...headers, host: 'replica' } },
      },
      (answer: IncomingMessage) => {
        readBody(answer, MOST_ANSWER).then((body) => resolve(body.toString()), broken)
      },
    )
    created.on('error', broken)
    created.end(payload)
  })
}

class Broken extends Error {
  override readonly name = 'Broken'
}

/** IPv6 addresses stand in brackets. */
function addressIn(place: string): { readonly host: string; readonly port: number } {
  const at = place.lastIndexOf(':')
  return { host: place.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(place.slice(at + 1)) }
}
