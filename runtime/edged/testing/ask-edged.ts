import { type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'

/** What the kubelet server at a socket answers. */
export async function askEdged(
  socketPath: string,
  path: string,
  method = 'GET',
): Promise<{ readonly status: number; readonly text: string }> {
  const response = await openEdged(socketPath, path, method)
  return { status: response.statusCode ?? 0, text: await text(response) }
}

/** The answer as it comes. */
export function openEdged(socketPath: string, path: string, method = 'GET'): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path, method, agent: false }).on('response', resolve).on('error', reject).end()
  })
}
