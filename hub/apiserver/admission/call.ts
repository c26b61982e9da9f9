import type { IncomingMessage } from 'node:http'
import { Agent, request } from 'node:https'
import { answerTo, readAnswer } from '../../../platform/http/index.ts'
import { RefusedError, UnavailableError } from '../../../platform/lifecycle/index.ts'
import { type Clock, seconds, withDeadline } from '../../../platform/time/index.ts'
import type { Json, JsonObject } from '../../../schemas/index.ts'
import { DEEPEST, depthOf, textAt } from '../../kube/object/index.ts'
import { type Address, type LocateService, type ServiceReference, serviceIn, urlIn } from './service-place.ts'
import { whyNotAsked } from './why-not-asked.ts'

const LARGEST_ANSWER = 3 * 1024 * 1024
/** An object in its review. */
const DEEPEST_ANSWER = DEEPEST + 8

/** Where a webhook listens. */
export interface WebhookPlace {
  readonly url: string
  /** PEM; empty: the certificates that the system trusts. */
  readonly ca: string
  /** Where it is a Service: whoever answers for it is connected to, and has to be the host of the URL by his certificate. */
  readonly service?: ServiceReference | undefined
}

/** How a webhook is asked. */
export interface Asking {
  readonly timeoutSeconds: number
  readonly signal: AbortSignal
}

export interface CallerOptions {
  readonly locate: LocateService
  readonly clock: Clock
  readonly largestAnswer?: number
}

/** What webhook configurations call `clientConfig`. */
export function placeIn(client: JsonObject): WebhookPlace {
  const ca = Buffer.from(textAt(client, 'caBundle'), 'base64').toString('utf8')
  return { url: urlIn(client), ca, service: serviceIn(client) }
}

/**
 * Posts a review over HTTPS, with the time that it may take in its URL, and answers the JSON that comes back. Rejects on everything
 * else, after that time, and when the signal aborts.
 */
export type CallWebhook = (webhook: WebhookPlace, review: JsonObject, asking: Asking) => Promise<unknown>

/** Connections stay for a moment: a handshake for each change costs more than all the rest of it. */
export function createWebhookCaller({ locate, clock, largestAnswer = LARGEST_ANSWER }: CallerOptions): CallWebhook {
  // Connections are told apart by host, port and CA. Those that idle keep no process alive.
  const kept = new Agent({ keepAlive: true, maxSockets: 64, maxFreeSockets: 16, timeout: 10_000 })
  const ask = async (webhook: WebhookPlace, body: Buffer, signal: AbortSignal): Promise<Json> => {
    const address = webhook.service && locate(webhook.service)
    const response = await post({ ...webhook, address, body, signal }, kept)
    const text = (await readAnswer(response, largestAnswer, signal)).toString('utf8')
    if (response.statusCode !== 200) {
      throw new RefusedError(`the webhook answered with HTTP ${response.statusCode}`, {
        code: 'HUB_API_WEBHOOK_ANSWER',
        fields: { status: response.statusCode },
      })
    }
    const answer: Json = JSON.parse(text)
    if (depthOf(answer, DEEPEST_ANSWER, Number.POSITIVE_INFINITY) > DEEPEST_ANSWER) {
      const code = 'HUB_API_WEBHOOK_ANSWER'
      throw new RefusedError('the answer of the webhook is nested too deep', { code, fields: { most: DEEPEST_ANSWER } })
    }
    return answer
  }
  return async (webhook, review, { timeoutSeconds, signal }) => {
    const url = `${webhook.url}?timeout=${timeoutSeconds}s`
    const body = Buffer.from(JSON.stringify(review))
    const within = seconds(timeoutSeconds)
    try {
      return await withDeadline(clock, within, signal, (limited) => ask({ ...webhook, url }, body, limited))
    } catch (error) {
      signal.throwIfAborted()
      const why = whyNotAsked(error)
      throw new UnavailableError(`Post ${JSON.stringify(url)}: ${why}`, {
        code: 'HUB_API_WEBHOOK_UNREACHABLE',
        cause: error,
      })
    }
  }
}

interface Post extends WebhookPlace {
  readonly address: Address | undefined
  readonly body: Buffer
  readonly signal: AbortSignal
}

function post(given: Post, agent: Agent | false): Promise<IncomingMessage> {
  const { url, ca, address, body, signal } = given
  const posting = request(url, {
    method: 'POST',
    headers: {
      ...{ host: new URL(url).host, 'content-type': 'application/json', accept: 'application/json' },
      'content-length': body.length,
    },
    ...(ca === '' ? {} : { ca }),
    ...(address ? elsewhere(url, address) : {}),
    minVersion: 'TLSv1.2',
    agent,
    signal,
  })
  posting.end(body)
  return answerTo(posting).catch((error: unknown) => {
    // It was closed just when it was used again (RFC 9112, 9.3.1). A review may be asked twice.
    if (posting.reusedSocket && !signal.aborted && agent) return post(given, false)
    throw error
  })
}

/** The connection goes to the address; name and certificate stay those of the URL. */
function elsewhere(url: string, { host, port }: Address): { hostname: string; port: number; servername: string } {
  return { hostname: host, port, servername: new URL(url).hostname }
}
