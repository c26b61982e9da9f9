import { type ChildProcess, spawn } from 'node:child_process'
import { Duplex, type Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { plainEnvironment } from '../environment/index.ts'
import { type PortError, unpackError } from '../lifecycle/pack-error.ts'
import { type Clock, seconds } from '../time/index.ts'
import { openChannel } from './channel.ts'
import { type Line, Lines } from './lines.ts'

export interface ChildOptions {
  /** Its program, which calls `connectParent`. */
  readonly entry: URL
  /** Of its JavaScript heap; with more it is ended by its own runtime. */
  readonly heapMegabytes: number
  readonly clock: Clock
}

/** How it ended. */
export interface ChildEnd {
  readonly code: number | null
  readonly signal: string | null
  /** What it threw, or why it could not be started. */
  readonly failure: Error | undefined
}

/**
 * A running process of our own. It gets no secret in its environment, and ends when this process does, however that ends; with
 * it end the processes that it has started.
 */
export interface Child {
  /** To the line of the same name at its end. */
  line(name: string): Line
  readonly output: readonly Readable[]
  readonly ended: Promise<ChildEnd>
  kill(): void
}

/** What it said last is on its way when it ends. */
const LAST_MESSAGES = seconds(2)

export function startChild({ entry, heapMegabytes, clock }: ChildOptions): Child {
  const node = ['--disable-warning=ExperimentalWarning', `--max-old-space-size=${heapMegabytes}`]
  const child = spawn(process.execPath, [...node, fileURLToPath(entry), String(process.pid)], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    // Not a signal to the whole terminal: its parent asks it to stop. And a group of its own, with which all of it ends.
    detached: true,
    env: plainEnvironment(),
  })
  const kill = () => killAll(child)
  const closed = Promise.withResolvers<void>()
  let failure: Error | undefined
  const pipe = child.stdio[3]
  const channel =
    pipe instanceof Duplex
      ? openChannel(pipe, {
          onMessage: (message) => {
            if (isFailure(message)) failure ??= unpackError(message.failure)
            else lines.receive(message)
          },
          onBroken: (reason) => {
            failure ??= new Error(`what it sent could not be read: ${reason}`)
            kill()
          },
          onClose: () => closed.resolve(),
        })
      : undefined
  // A process that is gone hears nothing more; its end is told by `ended`.
  const lines = new Lines((envelope) => channel?.send(envelope))
  const ended = endOf(child).then(async ({ error, ...end }) => {
    // Of a process that could not be started, nothing comes.
    if (child.pid !== undefined) await Promise.race([closed.promise, clock.sleep(LAST_MESSAGES)])
    kill()
    lines.end()
    return { ...end, failure: failure ?? error }
  })
  return {
    line: (name) => lines.line(name),
    output: [child.stdout, child.stderr].filter((stream) => stream !== null),
    ended,
    kill,
  }
}

function endOf(child: ChildProcess) {
  const { promise, resolve } = Promise.withResolvers<{
    readonly error?: Error
    readonly code: number | null
    readonly signal: string | null
  }>()
  child.on('error', (error) => {
    // One that could not be started never exits.
    if (child.pid === undefined) resolve({ error, code: null, signal: null })
  })
  child.once('exit', (code, signal) => resolve({ code, signal }))
  return promise
}

/** The process and those that it has started. */
function killAll(child: ChildProcess): void {
  child.kill('SIGKILL')
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
  } catch {
    // ESRCH: all of them are gone.
  }
}

/** Of our own program, so that the form tells enough. */
function isFailure(message: unknown): message is { readonly failure: PortError } {
  return typeof message === 'object' && message !== null && 'failure' in message
}
