import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import type { ServedApi } from './serve.ts'

export interface Reply {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
  /** Parsed, when the answer is JSON. */
  readonly json: unknown
}

export interface Ask {
  readonly method?: string
  readonly path: string
  /** JSON unless it is text. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** Without a client certificate. */
  readonly anonymous?: boolean
}

/** One request as the administrator. */
export async function ask(api: Pick<ServedApi, 'url' | 'pki'>, options: Ask): Promise<Reply> {
  const response = await open(api, options)
  response.setEncoding('utf8')
  let text = ''
  for await (const chunk of response) text += String(chunk)
  const isJson = (response.headers['content-type'] ?? '').startsWith('application/json')
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    text,
    json: isJson && text !== '' ? JSON.parse(text) : undefined,
  }
}

/** The response as it comes, for watches. The caller destroys it. */
export function open(
  { url, pki }: Pick<ServedApi, 'url' | 'pki'>,
  { method = 'GET', path, body, headers = {}, anonymous = false }: Ask,
): Promise<IncomingMessage> {
  const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body)
  const identity = anonymous ? {} : { cert: pki.admin.certificate, key: pki.admin.privateKey }
  return new Promise((resolve, reject) => {
    const asking = request(
      url + path,
      {
        method,
        ca: pki.ca,
        ...identity,
        agent: false,
        headers: {
          ...(text === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) }),
          ...headers,
        },
      },
      resolve,
    )
    asking.on('error', reject)
    asking.end(text)
  })
}
