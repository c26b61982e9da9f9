import { type ChildProcess, fork } from 'node:child_process'
import type { Readable } from 'node:stream'
import { plainEnvironment } from '../environment/index.ts'
import { type PortError, unpackError } from '../lifecycle/pack-error.ts'
import { type Line, Lines } from './lines.ts'

export interface ChildOptions {
  /** Its program, which calls `connectParent`. */
  readonly entry: URL
  /** Of its JavaScript heap; with more it is ended by its own runtime. */
  readonly heapMegabytes: number
}

/** How it ended. */
export interface ChildEnd {
  readonly code: number | null
  readonly signal: string | null
  /** What it threw, or why it could not be started. */
  readonly failure: Error | undefined
}

/** A running process of our own. It gets no secret in its environment, and ends when this process does, however that ends. */
export interface Child {
  /** To the line of the same name at its end. */
  line(name: string): Line
  readonly output: readonly Readable[]
  readonly ended: Promise<ChildEnd>
  kill(): void
}

export function startChild({ entry, heapMegabytes }: ChildOptions): Child {
  const child = fork(entry, {
    serialization: 'advanced',
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // Not a signal to the whole terminal: its parent asks it to stop.
    detached: true,
    env: plainEnvironment(),
    execArgv: ['--disable-warning=ExperimentalWarning', `--max-old-space-size=${heapMegabytes}`],
  })
  const lines = new Lines((envelope) => {
    // A process that is gone hears nothing more; its end is told by `ended`.
    if (child.connected) child.send(envelope, () => undefined)
  })
  return {
    line: (name) => lines.line(name),
    output: [child.stdout, child.stderr].filter((stream) => stream !== null),
    ended: endOf(child, lines),
    kill: () => void child.kill('SIGKILL'),
  }
}

function endOf(child: ChildProcess, lines: Lines): Promise<ChildEnd> {
  const { promise, resolve } = Promise.withResolvers<ChildEnd>()
  let failure: Error | undefined
  child.on('message', (message) => {
    if (isFailure(message)) failure = unpackError(message.failure)
    else lines.receive(message)
  })
  child.once('error', (error) => {
    failure ??= error
    // One that could not be started never exits.
    if (child.pid === undefined) resolve({ code: null, signal: null, failure })
  })
  child.once('exit', (code, signal) => {
    lines.end()
    resolve({ code, signal, failure })
  })
  return promise
}

/** Of our own program, so that the form tells enough. */
function isFailure(message: unknown): message is { readonly failure: PortError } {
  return typeof message === 'object' && message !== null && 'failure' in message
}
