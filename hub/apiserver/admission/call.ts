import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { readBody } from '../../../platform/http/index.ts'
import { RefusedError } from '../../../platform/lifecycle/index.ts'
import type { JsonObject } from '../../../schemas/index.ts'
import type { Webhook } from './rules.ts'

const LARGEST_ANSWER = 3 * 1024 * 1024

/** Posts a review over HTTPS and answers the JSON that comes back. Rejects on everything else, and when the signal aborts. */
export async function callWebhook({ url, ca }: Webhook, review: JsonObject, signal: AbortSignal): Promise<unknown> {
  const body = Buffer.from(JSON.stringify(review))
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const posting = request(
      url,
      {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json', 'content-length': body.length },
        ...(ca === '' ? {} : { ca }),
        minVersion: 'TLSv1.2',
        agent: false,
        signal,
      },
      resolve,
    )
    posting.on('error', reject)
    posting.end(body)
  })
  const text = (await readBody(response, LARGEST_ANSWER, signal)).toString('utf8')
  if (response.statusCode !== 200) {
    throw new RefusedError(`the webhook answered with HTTP ${response.statusCode}`, {
      code: 'HUB_API_WEBHOOK_ANSWER',
      fields: { status: response.statusCode },
    })
  }
  return JSON.parse(text)
}
