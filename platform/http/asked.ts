import type { ClientRequest, IncomingMessage } from 'node:http'
import { UnavailableError } from '../lifecycle/errors.ts'
import { readBody } from './body.ts'

/** Answers 1xx before the one that counts. */
const MOST_INFORMATION = 16

/**
 * The head of the answer to a request. Rejects with what Node.js says of the connection, or with UnavailableError
 * PLATFORM_ANSWER_MALFORMED or PLATFORM_ANSWER_CUT_OFF; the connection is closed then. A request that is destroyed rejects with its reason.
 */
export function answerTo(request: ClientRequest): Promise<IncomingMessage> {
  let information = 0
  return new Promise((resolve, reject) => {
    const refuse = (reason: string) => request.destroy(malformed(reason))
    request.on('response', (answer) => {
      const reason = whyMalformed(answer)
      if (reason !== undefined) return void refuse(reason)
      // What breaks from here on is told where the body is read.
      resolve(answer)
    })
    request.on('error', reject)
    // Node.js says nothing of an answer that changes the protocol where nobody listens for it.
    request.on('upgrade', (_answer, socket) => {
      socket.on('error', () => undefined)
      socket.destroy()
      reject(malformed('it changes the protocol, which nobody asked for'))
    })
    request.on('information', () => {
      if (++information > MOST_INFORMATION) refuse('it sends no end of answers 1xx')
    })
    request.on('close', () => {
      reject(new UnavailableError('The peer left before it answered', { code: 'PLATFORM_ANSWER_CUT_OFF' }))
    })
  })
}

/** The whole body as `readBody` reads it. Where that fails, the connection is closed: nobody would read the rest. */
export async function readAnswer(answer: IncomingMessage, maxBytes: number, signal?: AbortSignal): Promise<Buffer> {
  try {
    return await readBody(answer, maxBytes, signal)
  } catch (error) {
    answer.destroy()
    throw error
  }
}

/** Why an answer is refused that Node.js's parser has let through: it could be read in two ways, so that a part of it would be taken for the next answer (RFC 9112 §6.3). */
export function whyMalformed({ statusCode = 0, headers, headersDistinct }: IncomingMessage): string | undefined {
  if (statusCode < 200 || statusCode > 599) return `its status is ${statusCode}`
  const coding = headersDistinct['transfer-encoding']
  if (coding === undefined) return undefined
  if (headers['content-length'] !== undefined) return 'it has both a length and chunks'
  return coding.length === 1 && /^chunked$/i.test(coding[0] ?? '') ? undefined : 'its transfer coding is not chunked'
}

function malformed(reason: string): UnavailableError {
  return new UnavailableError('The peer answered with what is no HTTP', {
    code: 'PLATFORM_ANSWER_MALFORMED',
    fields: { reason },
  })
}
