import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { Agent, request } from 'node:https'
import { fileURLToPath } from 'node:url'
import { undoLater } from '../hub/undo.ts'

/** A server in a process of its own, with connections that are kept. */
export interface Peer {
  readonly child: ChildProcess
  /** What its start took, as it says itself. */
  readonly startMs: number
  readonly url: string
  /** What a client connects with: TLS options. */
  readonly identity: object
  /** Reads the whole answer; throws for a refusal. */
  ask(method: string, path: string, body?: string, accept?: string): Promise<number>
  /** The whole answer to a GET. */
  text(path: string): Promise<string>
  /** The answer as it comes. */
  open(path: string): Promise<IncomingMessage>
  memory(): Promise<{ readonly rss: number; readonly heapUsed: number }>
  stop(): Promise<void>
}

const MEGABYTE = 1024 * 1024

export async function startPeer(file: string, ...args: readonly string[]): Promise<Peer> {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), [...args], { execArgv: ['--expose-gc'] })
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }
  undoLater(stop)
  const [message]: unknown[] = await once(child, 'message')
  const { url, startMs, identity } = helloIn(message)
  // The certificate of the echo names no address; this measures time.
  const tls = { ...identity, rejectUnauthorized: false }
  const calls = new Agent({ keepAlive: true, ...tls })
  const open = (
    method: string,
    path: string,
    body?: string,
    accept = 'application/json',
    agent: Agent | false = calls,
  ) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const length = {
        'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
        'content-length': String(Buffer.byteLength(body ?? '')),
      }
      const headers = { accept, ...(body === undefined ? {} : length) }
      const asking = request(url + path, { method, agent, headers, ...tls }, resolve)
      asking.on('error', reject)
      asking.end(body)
    })
  return {
    child,
    startMs,
    url,
    identity,
    async text(path) {
      const response = await open('GET', path)
      response.setEncoding('utf8')
      let text = ''
      for await (const chunk of response) text += chunk
      return text
    },
    async ask(method, path, body, accept) {
      const response = await open(method, path, body, accept)
      let bytes = 0
      for await (const chunk of response) bytes += Buffer.byteLength(chunk)
      if ((response.statusCode ?? 500) >= 300) throw new Error(`${method} ${path}: ${response.statusCode}`)
      return bytes
    },
    open: (path) => open('GET', path, undefined, undefined, false),
    async memory() {
      child.send('memory')
      const [answer]: unknown[] = await once(child, 'message')
      return { rss: numberAt(answer, 'rss') / MEGABYTE, heapUsed: numberAt(answer, 'heapUsed') / MEGABYTE }
    },
    stop,
  }
}

interface Hello {
  readonly url: string
  readonly startMs: number
  readonly identity: object
}

/** From our own program, so that its type is known. */
function helloIn(message: unknown): Hello
function helloIn(message: unknown): unknown {
  return message
}

function numberAt(value: unknown, name: string): number {
  return typeof value === 'object' && value !== null ? Number(Reflect.get(value, name)) : Number.NaN
}
