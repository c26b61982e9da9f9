import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { type Backoff, type Clock, type Duration, seconds, withDeadline } from '../../../platform/time/index.ts'
import type { Endpoints } from '../../../schemas/config/index.ts'
import { parseEndpoints } from '../parse-endpoints.ts'
import type { LogFile } from './log-file.ts'

export type PartState = 'stopped' | 'starting' | 'ready' | 'restarting' | 'stopping'

export interface PartOptions {
  readonly name: string
  /** Arguments of the skerry executable. */
  readonly args: readonly string[]
  readonly launcher: string
  readonly logFile: LogFile
  readonly clock: Clock
  readonly backoff: Backoff
  readonly grace: Duration
  /** The child said that it serves, in this message; called after each start. */
  readonly onReady: (endpoints: Endpoints, message: object) => void
  /** Something a person at the terminal wants to know. */
  readonly onNotice: (text: string) => void
}

/** How long a part must have been ready before its next crash counts as a first one. */
const STEADY = seconds(30)

/**
 * One child process of `skerry up`: started, watched, restarted after a crash with back-off, stopped with a grace period.
 * Children lead their own process group, so that Ctrl-C reaches the supervisor alone, and they stop by themselves when the
 * supervisor is gone (their IPC channel closes).
 */
export class Part {
  readonly name: string
  readonly #options: PartOptions
  #child: ChildProcess | undefined
  #state: PartState = 'stopped'
  #since: number
  #restarts = 0
  #wanted = false
  #loop: Promise<void> | undefined
  #wake = new AbortController()
  #ready: PromiseWithResolvers<void> = newReady()
  #lastLine = ''

  constructor(options: PartOptions) {
    this.name = options.name
    this.#options = options
    this.#since = options.clock.now()
  }

  get status(): { name: string; state: PartState; sinceMs: number; pid?: number; restarts: number; log: string } {
    const pid = this.#child?.pid
    return {
      name: this.name,
      state: this.#state,
      sinceMs: this.#since,
      ...(pid === undefined ? {} : { pid }),
      restarts: this.#restarts,
      log: this.#options.logFile.path,
    }
  }

  /** Settles when the child serves; rejects when its first start failed. */
  async start(deadline: Duration, signal?: AbortSignal): Promise<void> {
    if (!this.#wanted) {
      this.#wanted = true
      this.#wake = new AbortController()
      this.#ready = newReady()
      this.#loop = this.#keepRunning()
    }
    await withDeadline(this.#options.clock, deadline, signal, () => this.#ready.promise)
  }

  /** Asks the child to stop, and ends it after the grace period. */
  async stop(): Promise<void> {
    this.#wanted = false
    this.#wake.abort(new Error('the part was stopped'))
    const child = this.#child
    if (child && child.exitCode === null && child.signalCode === null) {
      this.#move('stopping')
      child.kill('SIGTERM')
      using _deadline = this.#options.clock.after(this.#options.grace, () => child.kill('SIGKILL'))
      await this.#loop
    } else {
      await this.#loop
    }
    this.#move('stopped')
  }

  async #keepRunning(): Promise<void> {
    while (this.#wanted) {
      const startedAt = this.#options.clock.monotonic()
      const end = await this.#runOnce()
      if (!this.#wanted) return
      const failedFirst = this.#restarts === 0 && this.#state === 'starting'
      if (failedFirst) this.#ready.reject(new Error(`${this.name} ${end}: ${this.#lastLine || 'no output'}`))
      this.#restarts++
      if (this.#options.clock.monotonic() - startedAt > STEADY.milliseconds) this.#options.backoff.reset()
      this.#move('restarting')
      this.#options.onNotice(`${this.name} ${end}; restarting (log: ${this.#options.logFile.path})`)
      const pause = this.#options.backoff.next()
      await this.#options.clock.sleep(pause, this.#wake.signal).catch(() => undefined)
    }
  }

  async #runOnce(): Promise<string> {
    this.#move('starting')
    const child = spawn(process.execPath, [this.#options.launcher, ...this.#options.args], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
    })
    this.#child = child
    if (child.stdout) this.#collect(child.stdout)
    if (child.stderr) this.#collect(child.stderr)
    child.on('message', (message) => this.#receive(message))
    return new Promise((resolve) => {
      child.once('error', (error) => resolve(`could not be started (${error.message})`))
      child.once('exit', (code, signal) => resolve(signal ? `was ended by ${signal}` : `ended with code ${code}`))
    })
  }

  #collect(stream: Readable): void {
    createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on('line', (line) => {
      this.#lastLine = line
      this.#options.logFile.write(`${line}\n`)
    })
  }

  #receive(message: unknown): void {
    if (typeof message !== 'object' || message === null || !('ready' in message)) return
    this.#move('ready')
    this.#options.onReady(parseEndpoints(message.ready, this.name), message)
    this.#ready.resolve()
  }

  #move(state: PartState): void {
    this.#state = state
    this.#since = this.#options.clock.now()
  }
}

function newReady(): PromiseWithResolvers<void> {
  const ready = Promise.withResolvers<void>()
  ready.promise.catch(() => undefined)
  return ready
}
