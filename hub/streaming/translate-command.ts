import type { WebSocket } from 'ws'
import { describeError, RefusedError } from '../../platform/lifecycle/index.ts'
import { type Clock, type Duration, seconds, Watchdog } from '../../platform/time/index.ts'
import { CHANNEL, openChannels } from './channels.ts'
import type { Connect } from './command.ts'
import { COMMAND_OVER_WEB_SOCKET, type UpgradeExchange } from './exchange.ts'
import { execute } from './execute.ts'
import { IDLE_WITHIN } from './idle.ts'
import { acceptWebSocket } from './web-socket.ts'

/** The other end of a remote command: who serves the paths of a kubelet, and what is asked there. */
export interface CommandTarget {
  readonly connect: Connect
  /** Without a query. */
  readonly path: string
  readonly command: readonly string[]
  readonly streams: {
    readonly stdin: boolean
    readonly stdout: boolean
    readonly stderr: boolean
    readonly tty: boolean
  }
  readonly headers?: Readonly<Record<string, string>>
  readonly clock: Clock
  /** What an error is called; undefined for others than those of the connection. Default: as it is. */
  readonly explain?: (error: unknown) => string | undefined
  /** Until it ends where nothing moves; default 4 h. */
  readonly idleWithin?: Duration
}

/** How long the client may take for the last word. */
const LAST_WITHIN = seconds(10)

/**
 * Serves a remote command over a WebSocket (v5.channel.k8s.io) by one over SPDY (v4) at a kubelet: what API servers do, as no
 * kubelet speaks v5. Settles when it is over; how it went is told the client, in a Status.
 */
export async function translateCommand(
  exchange: UpgradeExchange,
  target: CommandTarget,
  signal: AbortSignal,
): Promise<void> {
  const webSocket = await acceptWebSocket(exchange, COMMAND_OVER_WEB_SOCKET)
  if (!webSocket) return
  const over = new AbortController()
  const end = () => over.abort(new Error('the client left'))
  webSocket.on('close', end)
  using idle = new Watchdog(target.clock, target.idleWithin ?? IDLE_WITHIN, () => webSocket.terminate())
  try {
    const status = await run(webSocket, target, () => idle.heard(), AbortSignal.any([signal, over.signal]))
    if (status) await lastWord(webSocket, status, target.clock)
  } finally {
    goodbye(webSocket, target.clock)
  }
}

/** The Status that the client gets; undefined where it is not there any more. */
async function run(
  webSocket: WebSocket,
  target: CommandTarget,
  onMove: () => void,
  signal: AbortSignal,
): Promise<object | undefined> {
  const { stdin, stdout, stderr, tty } = target.streams
  const channels = openChannels(webSocket, stdin, onMove)
  // The client waits for one message before it takes the connection for made.
  await channels.send(stdout ? CHANNEL.stdout : stderr ? CHANNEL.stderr : CHANNEL.error, Buffer.alloc(0))
  try {
    const code = await execute(
      {
        ...{ connect: target.connect, path: target.path, command: target.command, clock: target.clock, tty },
        ...(target.headers ? { headers: target.headers } : {}),
        ...(stdin ? { stdin: channels.stdin } : {}),
        ...(stdout ? { stdout: channels.output(CHANNEL.stdout) } : {}),
        ...(stderr ? { stderr: channels.output(CHANNEL.stderr) } : {}),
        ...(tty ? { resize: channels.sizes } : {}),
      },
      signal,
    )
    return code === 0 ? { metadata: {}, status: 'Success' } : nonZero(code)
  } catch (error) {
    if (signal.aborted) return undefined
    return internal(target.explain?.(error) ?? reasonOf(error))
  }
}

/** As upstream's API server words it. */
function nonZero(code: number): object {
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: command terminated with exit code ${code}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
  }
}

function internal(why: string): object {
  return {
    metadata: {},
    status: 'Failure',
    message: `Internal error occurred: ${why}`,
    reason: 'InternalError',
    details: { causes: [{ message: why }] },
    code: 500,
  }
}

/** What went wrong, in the words of upstream where it has some. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof RefusedError)) return describeError(error)
  const reason = String(error.fields['reason'] ?? error.message)
  return error.code === 'HUB_STREAM_REFUSED' ? `unable to upgrade connection: ${saidIn(reason)}` : reason
}

/** A Status says more in its message. */
function saidIn(text: string): string {
  try {
    const message: unknown = Object(JSON.parse(text)).message
    if (typeof message === 'string' && message.trim() !== '') return message.trim()
  } catch {
    // It is plain text.
  }
  return text === '' ? 'empty server response' : text
}

async function lastWord(webSocket: WebSocket, status: object, clock: Clock): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  using _timer = clock.after(LAST_WITHIN, resolve)
  webSocket.once('close', resolve)
  webSocket.send(Buffer.concat([Buffer.of(CHANNEL.error), Buffer.from(JSON.stringify(status))]), () => resolve())
  await promise
}

function goodbye(webSocket: WebSocket, clock: Clock): void {
  // Whatever it still sends is not read: only its answer is.
  webSocket.resume()
  webSocket.close(1000)
  const timer = clock.after(LAST_WITHIN, () => webSocket.terminate())
  webSocket.once('close', () => timer[Symbol.dispose]())
}
