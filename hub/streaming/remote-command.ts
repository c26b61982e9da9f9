import type { Readable, Writable } from 'node:stream'
import { RefusedError, UnavailableError } from '../../platform/lifecycle/index.ts'
import type { TerminalSize } from './command.ts'
import type { SpdyConnection } from './spdy/connection.ts'
import type { SpdyStream } from './spdy/stream.ts'

/** The protocol of remote commands that has exit codes (upstream's v4), over SPDY. */
export const COMMAND_PROTOCOL = 'v4.channel.k8s.io'

export interface CommandStreams {
  readonly stdin?: Readable
  readonly stdout?: Writable
  readonly stderr?: Writable
  readonly tty?: boolean
  readonly resize?: AsyncIterable<TerminalSize>
}

const TYPE = 'streamtype'
/** Of a Status. */
const LARGEST_STATUS = 64 * 1024

/** Drives one command over a connection that was opened for it. Settles with its exit status when its output is written. */
export async function runCommand(
  connection: SpdyConnection,
  { stdin, stdout, stderr, tty, resize }: CommandStreams,
  signal: AbortSignal,
): Promise<number> {
  const open = (type: string) => connection.open({ [TYPE]: type }, signal)
  // In this order the other side expects them.
  const errors = await open('error')
  const input = stdin && (await open('stdin'))
  const output = stdout && (await open('stdout'))
  const errorOutput = stderr && tty !== true ? await open('stderr') : undefined
  // A runtime waits for it wherever there is a terminal, whether or not sizes come.
  const sizes = tty === true ? await open('resize') : undefined

  const left = new AbortController()
  try {
    if (stdin && input) pumpInput(stdin, input, left.signal)
    if (resize && sizes) void sendSizes(resize, sizes, left.signal)
    const [status] = await Promise.all([
      readStatus(errors),
      output && stdout ? pumpOutput(output, stdout) : undefined,
      errorOutput && stderr ? pumpOutput(errorOutput, stderr) : undefined,
    ])
    return exitStatus(status)
  } finally {
    left.abort()
  }
}

/** The input of a command may go on after it: then nobody reads it any more. */
function pumpInput(from: Readable, to: SpdyStream, left: AbortSignal): void {
  const onError = () => to.end()
  from.on('error', onError)
  from.pipe(to)
  // The other side closes it when the command does not read any more.
  to.resume()
  left.addEventListener('abort', () => {
    from.unpipe(to)
    from.off('error', onError)
    from.pause()
  })
}

/** Settles when all is written, not when it waits to be. Whoever does not take output any more does not hold up the rest. */
async function pumpOutput(from: SpdyStream, to: Writable): Promise<void> {
  let written: Promise<void> = Promise.resolve()
  for await (const chunk of from) {
    if (to.writableEnded || to.destroyed) continue
    let hasRoom = true
    written = new Promise((resolve) => {
      hasRoom = to.write(chunk, () => resolve())
    })
    if (!hasRoom) await written
  }
  await written
}

async function sendSizes(sizes: AsyncIterable<TerminalSize>, to: SpdyStream, left: AbortSignal): Promise<void> {
  try {
    for await (const { width, height } of sizes) {
      if (left.aborted) break
      to.write(`${JSON.stringify({ Width: width, Height: height })}\n`)
    }
    to.end()
  } catch {
    // A terminal that does not tell its size any more still runs its command.
  }
}

/** What the stream of errors says until it ends. Rejects where the connection broke before. */
async function readStatus(errors: SpdyStream): Promise<string> {
  let text = ''
  for await (const chunk of errors) {
    text += String(chunk)
    if (text.length > LARGEST_STATUS) throw failed('its status is too long')
  }
  return text
}

/** As upstream reads it: https://github.com/kubernetes/kubernetes, client-go/tools/remotecommand/v4.go. */
export function exitStatus(text: string): number {
  // A clean end without a word is success.
  if (text === '') return 0
  const status = parseStatus(text)
  if (status['status'] === 'Success') return 0
  if (status['status'] !== 'Failure') throw failed('error stream protocol error: unknown error')
  if (status['reason'] !== 'NonZeroExitCode') throw failed(String(status['message'] ?? ''))
  const details = status['details']
  if (typeof details !== 'object' || details === null) throw failed('error stream protocol error: details must be set')
  const causes: unknown = Reflect.get(details, 'causes')
  for (const cause of Array.isArray(causes) ? causes : []) {
    if (Object(cause).reason !== 'ExitCode') continue
    const message: unknown = Object(cause).message
    const code = typeof message === 'string' && /^\d{1,3}$/.test(message) ? Number(message) : 256
    if (code > 255) throw failed(`error stream protocol error: invalid exit code value "${String(message)}"`)
    return code
  }
  throw failed('error stream protocol error: no ExitCode cause given')
}

function parseStatus(text: string): Readonly<Record<string, unknown>> {
  try {
    const status: unknown = JSON.parse(text)
    if (typeof status === 'object' && status !== null) return { ...status }
  } catch {
    // Told below.
  }
  throw failed(`error stream protocol error: no Status in ${JSON.stringify(text)}`)
}

function failed(reason: string): RefusedError {
  return new RefusedError('The command could not be run', { code: 'HUB_STREAM_COMMAND', fields: { reason } })
}

/** The connection broke, and nobody knows how the command ended. */
export function isCutOff(error: unknown): boolean {
  return error instanceof UnavailableError && error.code === 'HUB_STREAM_CUT_OFF'
}
