import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs'
import { createRequire } from 'node:module'
import { ReadStream } from 'node:tty'
import { type Clock, ms } from '../../../platform/time/index.ts'
import { setUpSerialPort } from '../../serial-port/index.ts'

/**
 * A pseudo-terminal pair. This side is the device; whoever opens `path` has a serial port with the device on it. Processes that
 * are started meanwhile inherit this side's descriptor: the port ends for its users when they have ended too.
 */
export interface Pty extends AsyncDisposable {
  /** The serial port, e.g. `/dev/pts/3`. */
  readonly path: string
  /** Whether somebody has the port open just now. */
  readonly isOpen: boolean
  /** Bytes that found nobody there, or a reader that was too slow for them. */
  readonly dropped: number
  /** What the other side sends. One listener; what comes before it is set waits in the terminal. */
  listen(listener: (bytes: Buffer) => void): void
  /** False when the bytes are lost, as on a real line: nobody has the port open, or too much waits already. */
  send(bytes: Uint8Array): boolean
  /** As pulling the plug: who has the port open finds it gone, and the path is no more. */
  close(): Promise<void>
}

export interface PtyOptions {
  readonly clock: Clock
  /** Most bytes that wait for a slow reader, beyond what the terminal itself holds. */
  readonly mostWaiting?: number
}

const RAW = { baudRate: 9600, dataBits: 8, parity: 'none', stopBits: 1, flowControl: 'none' } as const
const MOST_WAITING = 256 * 1024
/** A terminal tells nobody that it has room again. */
const RETRY = ms(2)

/** Opens a pair in raw mode: every byte arrives as it is, and nothing is echoed, whoever opens the port. */
export async function openPty(options: PtyOptions): Promise<Pty> {
  const { master, slave: inheritable, path } = openPair()
  const slave = openEnd(path)
  closeSync(inheritable)
  try {
    await setUpSerialPort({ path, ...RAW })
    return new RawPty(master, slave, path, options)
  } catch (error) {
    closeSync(slave)
    closeSync(master)
    throw error
  }
}

/** Why this machine has no pseudo-terminals, or nothing. */
export function serialPortsProblem(): string | undefined {
  try {
    native()
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

class RawPty implements Pty {
  readonly path: string
  readonly #master: number
  readonly #stream: ReadStream
  readonly #clock: Clock
  readonly #mostWaiting: number
  /** Kept open, so that the pair outlives whoever comes and goes. */
  #slave: number
  #waiting: Buffer[] = []
  #waitingBytes = 0
  #retry: Disposable | undefined
  #closing: Promise<void> | undefined
  #listener: ((bytes: Buffer) => void) | undefined
  dropped = 0

  constructor(master: number, slave: number, path: string, options: PtyOptions) {
    this.path = path
    this.#master = master
    this.#slave = slave
    this.#clock = options.clock
    this.#mostWaiting = options.mostWaiting ?? MOST_WAITING
    this.#stream = new ReadStream(master)
    // The end of the terminal is told by `close`.
    this.#stream.on('error', () => this.#stream.destroy())
  }

  get isOpen(): boolean {
    if (this.#closing || this.#stream.destroyed) return false
    // Without our own end a read says whether there is another: EIO where there is none, EAGAIN where it has nothing to say.
    closeSync(this.#slave)
    try {
      return this.#readAll()
    } finally {
      this.#slave = openEnd(this.path)
    }
  }

  listen(listener: (bytes: Buffer) => void): void {
    if (this.#listener) throw new Error('the pseudo-terminal has a listener already')
    this.#listener = listener
    this.#stream.on('data', listener)
  }

  send(bytes: Uint8Array): boolean {
    if (this.#waitingBytes + bytes.length > this.#mostWaiting || !this.isOpen) {
      this.dropped += bytes.length
      return false
    }
    this.#waiting.push(Buffer.from(bytes))
    this.#waitingBytes += bytes.length
    if (!this.#retry) this.#flush()
    return true
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    this.#retry?.[Symbol.dispose]()
    this.#waiting = []
    this.#waitingBytes = 0
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#stream.once('close', () => resolve())
    if (this.#stream.closed) resolve()
    this.#stream.destroy()
    await promise
    closeSync(this.#slave)
  }

  /** What was sent before is given to the listener. */
  #readAll(): boolean {
    const bytes = Buffer.alloc(4096)
    for (;;) {
      try {
        const length = readSync(this.#master, bytes)
        if (length === 0) return false
        this.#stream.push(Buffer.from(bytes.subarray(0, length)))
      } catch (error) {
        return codeOf(error) === 'EAGAIN'
      }
    }
  }

  /** Straight to the descriptor, which never waits: a stream of a terminal would stop the thread until somebody reads. */
  #flush(): void {
    this.#retry = undefined
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      const written = this.#write(next)
      this.#waitingBytes -= written
      if (written === next.length) continue
      this.#waiting.unshift(next.subarray(written))
      this.#retry = this.#clock.after(RETRY, () => this.#flush())
      return
    }
  }

  #write(bytes: Buffer): number {
    try {
      return writeSync(this.#master, bytes)
    } catch (error) {
      if (codeOf(error) === 'EAGAIN') return 0
      // The pair is gone, which `close` tells: nothing will take these bytes.
      return bytes.length
    }
  }
}

/** The descriptors themselves: the package's own terminals read from both ends, and so would eat what the port is sent. */
function openPair(): { readonly master: number; readonly slave: number; readonly path: string } {
  const opened = native().open(80, 24)
  if (!isRecord(opened)) throw new Error('the package @lydell/node-pty opened no terminal')
  const { master, slave, pty } = opened
  if (typeof master !== 'number' || typeof slave !== 'number' || typeof pty !== 'string') {
    throw new Error('the package @lydell/node-pty opened no terminal')
  }
  return { master, slave, path: pty }
}

function native(): { readonly open: (columns: number, rows: number) => unknown } {
  if (process.platform === 'win32') {
    throw new Error('Windows has no pseudo-terminals that are serial ports; simulate serial devices on Linux or macOS')
  }
  try {
    const loaded: unknown = createRequire(import.meta.url)('@lydell/node-pty/requireBinary.js')
    const binary: unknown =
      isRecord(loaded) && isFunction(loaded['requireBinary']) ? loaded['requireBinary']('pty.node') : undefined
    if (isRecord(binary) && isFunction(binary['open'])) return { open: binary['open'] }
  } catch (cause) {
    throw new Error(MISSING, { cause })
  }
  throw new Error(MISSING)
}

const MISSING =
  'pseudo-terminals need the optional package @lydell/node-pty with its binary for this platform; ' +
  'install without --omit=optional, or use a serial line over TCP'

function openEnd(path: string): number {
  return openSync(path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK)
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

function isRecord(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null
}

function isFunction(value: unknown): value is (...values: readonly unknown[]) => unknown {
  return typeof value === 'function'
}
