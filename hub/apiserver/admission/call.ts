import type { IncomingMessage } from 'node:http'
import { Agent, request } from 'node:https'
import { readBody } from '../../../platform/http/index.ts'
import { RefusedError } from '../../../platform/lifecycle/index.ts'
import type { Json, JsonObject } from '../../../schemas/index.ts'
import { DEEPEST, depthOf } from '../../kube/object/index.ts'

const LARGEST_ANSWER = 3 * 1024 * 1024
/** An object in its review. */
const DEEPEST_ANSWER = DEEPEST + 8

/** Where a webhook listens. */
export interface WebhookPlace {
  readonly url: string
  /** PEM; empty: the certificates that the system trusts. */
  readonly ca: string
}

/** Posts a review over HTTPS and answers the JSON that comes back. Rejects on everything else, and when the signal aborts. */
export type CallWebhook = (webhook: WebhookPlace, review: JsonObject, signal: AbortSignal) => Promise<unknown>

/** Connections stay for a moment: a handshake for each change costs more than all the rest of it. */
export function createWebhookCaller(largestAnswer = LARGEST_ANSWER): CallWebhook {
  // Connections are told apart by host, port and CA. Those that idle keep no process alive.
  const kept = new Agent({ keepAlive: true, maxSockets: 64, maxFreeSockets: 16, timeout: 10_000 })
  return async (webhook, review, signal) => {
    const body = Buffer.from(JSON.stringify(review))
    const response = await post(webhook, body, kept, signal)
    const text = (await readBody(response, largestAnswer, signal)).toString('utf8')
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
}

function post(
  webhook: WebhookPlace,
  body: Buffer,
  agent: Agent | false,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const { url, ca } = webhook
  return new Promise((resolve, reject) => {
    const posting = request(
      url,
      {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json', 'content-length': body.length },
        ...(ca === '' ? {} : { ca }),
        minVersion: 'TLSv1.2',
        agent,
        signal,
      },
      resolve,
    )
    posting.on('error', (error) => {
      // It was closed just when it was used again (RFC 9112, 9.3.1). A review may be asked twice.
      if (posting.reusedSocket && !signal.aborted) resolve(post(webhook, body, false, signal))
      else reject(error)
    })
    posting.end(body)
  })
}
