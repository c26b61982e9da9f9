import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { UnavailableError } from '../../../platform/lifecycle/index.ts'
import { type Clock, DeadlineError, seconds, withDeadline } from '../../../platform/time/index.ts'
import type { Tunnels } from '../../tunnel/index.ts'
import { headersForNode } from './forwarded-headers.ts'

/** What came back of the node: an answer, or the stream that it has changed to. */
export type NodeAnswer =
  | { readonly kind: 'answer'; readonly answer: IncomingMessage }
  | { readonly kind: 'upgrade'; readonly answer: IncomingMessage; readonly stream: Duplex }

export interface AskNodePorts {
  readonly tunnels: Tunnels
  readonly clock: Clock
}

const OPEN_WITHIN = seconds(10)
/** A container runtime that is busy takes its time to prepare a stream. */
const ANSWER_WITHIN = seconds(60)
const MOST_HEAD = 64 * 1024

/**
 * Sends the head of a request to the kubelet of a node and settles with the head of its answer. The signal counts until then; from
 * then on, destroying the answer or the stream ends it. Rejects with what `Tunnels.open` does, or with HUB_STREAM_SILENT.
 */
export async function askNode(
  { node, incoming }: { readonly node: string; readonly incoming: IncomingMessage },
  { tunnels, clock }: AskNodePorts,
  signal: AbortSignal,
): Promise<NodeAnswer> {
  const stream = await openStream({ tunnels, clock }, node, signal)
  try {
    return await withDeadline(clock, ANSWER_WITHIN, signal, () => headOf(requestOver(stream, node, incoming)))
  } catch (error) {
    stream.destroy()
    throw late(error, node)
  }
}

async function openStream({ tunnels, clock }: AskNodePorts, node: string, signal: AbortSignal): Promise<Duplex> {
  let isLate = false
  try {
    return await withDeadline(clock, OPEN_WITHIN, signal, async (limited) => {
      const stream = await tunnels.open(node, 'edged', limited)
      if (isLate) stream.destroy()
      // Whoever uses it hears of its errors, too.
      stream.on('error', () => undefined)
      return stream
    })
  } catch (error) {
    isLate = true
    throw late(error, node)
  }
}

function requestOver(stream: Duplex, node: string, { method = 'GET', url = '/', headers }: IncomingMessage) {
  const { upgrade } = headers
  return httpRequest({
    createConnection: () => stream,
    method,
    path: url,
    setHost: false,
    maxHeaderSize: MOST_HEAD,
    headers: {
      host: node,
      ...headersForNode(headers),
      ...(upgrade === undefined ? {} : { connection: 'Upgrade', upgrade }),
      // A body comes after the upgrade, if at all.
      ...(method === 'POST' ? { 'content-length': '0' } : {}),
    },
  })
}

function headOf(request: ClientRequest): Promise<NodeAnswer> {
  return new Promise((resolve, reject) => {
    request.once('response', (answer) => resolve({ kind: 'answer', answer }))
    request.once('upgrade', (answer, stream, first) => {
      if (first.length > 0) stream.unshift(first)
      resolve({ kind: 'upgrade', answer, stream })
    })
    request.on('error', (cause) =>
      reject(new UnavailableError('The kubelet of a node broke off its answer', { code: 'HUB_STREAM_BROKEN', cause })),
    )
    request.end()
  })
}

function late(error: unknown, node: string): unknown {
  if (!(error instanceof DeadlineError)) return error
  const details = { code: 'HUB_STREAM_SILENT', fields: { node }, cause: error }
  return new UnavailableError('The kubelet of a node does not answer through its tunnel', details)
}
