import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import type { ServedNode } from './served-node.ts'

export interface Ask {
  readonly method?: string
  readonly path: string
  /** JSON. */
  readonly body?: unknown
  readonly type?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Instead of the operator's; an empty one: nobody's. */
  readonly token?: string
}

export interface Reply {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly json: unknown
  readonly text: string
}

/** One request to MetaServer; by default as the operator of the node. */
export async function ask(node: ServedNode, options: Ask): Promise<Reply> {
  const response = await open(node, options)
  response.setEncoding('utf8')
  let text = ''
  for await (const chunk of response) text += String(chunk)
  const { statusCode: status = 0, headers } = response
  const isJson = (headers['content-type'] ?? '').startsWith('application/json')
  return { status, headers, text, json: isJson && text !== '' ? JSON.parse(text) : undefined }
}

/** The response as it comes, for watches. */
export function open(
  { url, people }: ServedNode,
  { method = 'GET', path, body, type = 'application/json', headers = {}, token = people.token }: Ask,
): Promise<IncomingMessage> {
  const text = body === undefined ? undefined : JSON.stringify(body)
  return new Promise((resolve, reject) => {
    const asking = request(
      url + path,
      {
        ...{ method, ca: people.ca, agent: false },
        headers: {
          ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
          ...(text === undefined ? {} : { 'content-type': type, 'content-length': String(Buffer.byteLength(text)) }),
          ...headers,
        },
      },
      resolve,
    )
    asking.on('error', reject)
    asking.end(text)
  })
}
