import { STATUS_CODES } from 'node:http'
import { describeError } from '../../../platform/lifecycle/index.ts'
import { seconds } from '../../../platform/time/index.ts'
import { KubeletRefusal } from './answers.ts'
import { kubeletPath } from './kubelet-path.ts'
import type { ServerPorts } from './server-ports.ts'
import { type Caller, serveStream } from './streams/serve-stream.ts'

/** Of commands, attachments and forwarded ports of all callers. */
const MOST_STREAMS = 256
const LEAVE = seconds(10)

/** An upgraded request: a stream to a container, or a refusal in the words of a kubelet. Never rejects. */
export async function answerUpgrade(ports: ServerPorts, caller: Caller, signal: AbortSignal): Promise<void> {
  const { counts } = ports
  const [path = '', search = ''] = (caller.request.url ?? '').split('?', 2)
  const asked = kubeletPath(path)
  const what = asked?.what ?? 'other'
  let begun: Disposable | undefined
  try {
    if (!asked || asked.what === 'logs') throw new KubeletRefusal(404, '404 page not found')
    if (counts.streams() >= MOST_STREAMS)
      throw new KubeletRefusal(429, `this node has ${MOST_STREAMS} streams to its containers already`)
    begun = counts.begin(asked.what)
    const isWebSocket = caller.request.headers.upgrade?.toLowerCase() === 'websocket'
    await serveStream(ports, { path: asked, query: new URLSearchParams(search), isWebSocket }, caller, signal)
    counts.answered(what, 101)
  } catch (error) {
    const { status, message } = error instanceof KubeletRefusal ? error : unexpected(ports, error, signal)
    counts.answered(what, status)
    refuse(ports, caller, { status, message })
  } finally {
    begun?.[Symbol.dispose]()
  }
}

function unexpected({ log }: ServerPorts, error: unknown, signal: AbortSignal): KubeletRefusal {
  if (!signal.aborted) log.error('A stream to a container failed', { error })
  return new KubeletRefusal(500, describeError(error))
}

function refuse(
  { clock }: ServerPorts,
  { socket }: Caller,
  { status, message }: { readonly status: number; readonly message: string },
): void {
  if (!socket.writable) return
  // What the caller still sends is of no interest, and how long it stays neither.
  socket.resume()
  clock.after(LEAVE, () => socket.destroy())
  // kubectl takes words with a colon for YAML, thus for a Status that says nothing; a failure of ours has its own words.
  const words = status >= 500 ? message.replaceAll(': ', ', ') : message
  const body = Buffer.from(`${words}\n`)
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'content-type: text/plain; charset=utf-8',
    `content-length: ${body.length}`,
    'connection: close',
  ]
  socket.write(`${head.join('\r\n')}\r\n\r\n`)
  socket.end(body)
}
