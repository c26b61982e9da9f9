import type { IncomingMessage } from 'node:http'
import type { Answer } from '../answers/answer.ts'

/** Programs behind which people sit, who read JSON as it comes. */
const READERS = /^(curl|Wget|Mozilla\/5\.0)/

/** The answer with its JSON indented for whoever asks for that (`?pretty=true`), or is known to want it. */
export function forReader(request: IncomingMessage, reply: Answer): Answer {
  if (!reply.type.startsWith('application/json') || !isForReader(request)) return reply
  return indented(reply)
}

function isForReader({ url = '/', headers }: IncomingMessage): boolean {
  // Not every target is a URL.
  const asked = new URLSearchParams(/\?(.*)/.exec(url)?.[1] ?? '').get('pretty') ?? ''
  if (asked !== '') return /^(1|t|true)$/i.test(asked)
  return READERS.test(headers['user-agent'] ?? '')
}

function indented(answer: Answer): Answer {
  const { code, type, headers = {}, parts } = answer
  if (parts) return { code, type, headers, text: '', parts: () => parts(true) }
  const { text } = answer
  if (text === '') return { code, type, headers, text }
  return { code, type, headers, text: JSON.stringify(JSON.parse(text), undefined, 2) }
}
