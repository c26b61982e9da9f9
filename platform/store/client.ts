import type { Worker } from 'node:worker_threads'
import type { SkerryError } from '../lifecycle/errors.ts'
import type { Logger } from '../log/logger.ts'
import { type Clock, withDeadline } from '../time/clock.ts'
import { minutes, seconds } from '../time/duration.ts'
import { runBackup } from './backup.ts'
import { storeClosed, storeError, storeOverloaded, storeStopped, unknownStatement } from './errors.ts'
import { filesOf } from './files.ts'
import type { StoreMetrics } from './metrics.ts'
import type { Failure, FromWorker, Request, Result, Results, ToWorker, WireCall, WorkerSettings } from './protocol.ts'
import type { OpenedStore, Recovery, Row, SqlValue, StoreCall } from './store.ts'
import { threadOf } from './thread.ts'
import { sizeOf } from './worker/soundness.ts'

/** So many requests are with the worker at once; the others wait on this side of its port. */
const MOST_IN_FLIGHT = 4000
/** A migration of a large file on a slow card may take long. */
const OPEN_WITHIN = minutes(10)
const CLOSE_WITHIN = seconds(30)
const RESTART_AFTER = seconds(1)

export interface StoreClientOptions {
  readonly settings: WorkerSettings
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: StoreMetrics
  readonly mostWaiting: number
  readonly spawn: (settings: WorkerSettings) => Worker
}

interface Pending {
  readonly isWrite: boolean
  readonly start: number
  resolve(rows: readonly Row[]): void
  reject(error: SkerryError): void
}

type State = 'opening' | 'open' | 'restarting' | 'closing' | 'closed'

/** The store as the domains hold it: it numbers their calls, hands them to the worker and settles what comes back. */
export class StoreClient implements OpenedStore {
  readonly #options: StoreClientOptions
  readonly #statements: ReadonlySet<string>
  readonly #pending = new Map<number, Pending>()
  readonly #gauges: readonly Disposable[]
  readonly #damage = Promise.withResolvers<SkerryError>()
  #isDamaged = false
  #waiting: Request[] = []
  #inFlight = new Set<number>()
  #nextId = 0
  #isFlushing = false
  #state: State = 'opening'
  #worker: Worker | undefined
  #restart: Disposable | undefined
  #closing: Promise<void> | undefined
  #incarnation = 0
  #commits = 0
  #recovered: Recovery | undefined

  constructor(options: StoreClientOptions) {
    this.#options = options
    this.#statements = new Set(
      options.settings.domains.flatMap(({ name, statements }) =>
        Object.keys(statements).map((key) => `${name}.${key}`),
      ),
    )
    const { file } = options.settings
    this.#gauges = [
      options.metrics.followWaiting(() => this.#pending.size),
      options.metrics.followSize(() => sizeOf(file) + sizeOf(filesOf(file).log)),
    ]
  }

  get incarnation(): number {
    return this.#incarnation
  }

  get recovered(): Recovery | undefined {
    return this.#recovered
  }

  get damage(): Promise<SkerryError> {
    return this.#damage.promise
  }

  /** Settles once the worker serves. */
  async open(): Promise<void> {
    try {
      await this.#start()
    } catch (error) {
      await this.#worker?.terminate()
      this.#end()
      throw error
    }
  }

  async write(calls: readonly StoreCall[]): Promise<void> {
    if (calls.length === 0) return
    const wire = calls.map((call) => this.#wireCall(call))
    await this.#ask((id) => ({ id, kind: 'write', calls: wire }))
  }

  async read(call: StoreCall): Promise<readonly Row[]> {
    const wire = this.#wireCall(call)
    return this.#ask((id) => ({ id, kind: 'read', call: wire }))
  }

  get commits(): number {
    return this.#commits
  }

  async backup(keep: number, signal: AbortSignal): Promise<void> {
    const { clock, settings } = this.#options
    const outcome = await runBackup({ file: settings.file, keep, timeMs: clock.now() }, signal)
    if (!outcome.ok) throw this.#failed(outcome.failure)
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  #wireCall({ statement, parameters }: StoreCall): WireCall {
    if (!this.#statements.has(statement)) throw unknownStatement(statement)
    return [statement, parameters.map(compact)]
  }

  #ask(make: (id: number) => Request): Promise<readonly Row[]> {
    const { clock, mostWaiting, settings } = this.#options
    if (this.#state === 'closing' || this.#state === 'closed') return Promise.reject(storeClosed(settings.file))
    if (this.#waiting.length >= mostWaiting) {
      return Promise.reject(this.#counted(storeOverloaded(settings.file, this.#waiting.length)))
    }
    const request = make(this.#nextId++)
    const { promise, resolve, reject } = Promise.withResolvers<readonly Row[]>()
    this.#pending.set(request.id, { isWrite: request.kind === 'write', start: clock.monotonic(), resolve, reject })
    this.#waiting.push(request)
    this.#flushSoon()
    return promise
  }

  /** One message for all calls of one turn. */
  #flushSoon(): void {
    if (this.#isFlushing) return
    this.#isFlushing = true
    queueMicrotask(() => {
      this.#isFlushing = false
      this.#flush()
    })
  }

  #flush(most = MOST_IN_FLIGHT): void {
    const room = most - this.#inFlight.size
    if (!this.#worker || room <= 0 || this.#waiting.length === 0) return
    if (this.#state === 'opening' || this.#state === 'restarting') return
    const requests = this.#waiting.slice(0, room)
    this.#waiting = this.#waiting.slice(room)
    for (const { id } of requests) this.#inFlight.add(id)
    if (this.#waiting.length > 0) this.#options.metrics.delayed(this.#waiting.length)
    post(this.#worker, { kind: 'requests', requests })
  }

  async #start(): Promise<void> {
    const { clock, log, settings, spawn } = this.#options
    const ready = Promise.withResolvers<void>()
    // What the domains hold in memory is newer than a backup: only a start of the process goes back to one.
    const onDamage = this.#state === 'opening' ? settings.onDamage : 'refuse'
    const worker = spawn({ ...settings, onDamage })
    this.#worker = worker
    let crash: unknown
    worker.on('message', (message: FromWorker) => {
      if (message.kind === 'ready') {
        this.#incarnation = message.incarnation
        if (message.recovered) this.#onRecovered(message.recovered)
        if (message.applied.length > 0) log.info('Database schema brought up to date', { migrations: message.applied })
        ready.resolve()
      } else if (message.kind === 'unusable') {
        ready.reject(this.#failed(message.failure))
      } else if (message.kind === 'results') this.#settle(message)
    })
    worker.on('error', (error) => {
      crash = error
    })
    worker.on('exit', () => {
      const error = storeStopped(settings.file, crash)
      ready.reject(error)
      this.#onExit(error)
    })
    await withDeadline(clock, OPEN_WITHIN, undefined, () => ready.promise)
    if (this.#state === 'opening' || this.#state === 'restarting') this.#state = 'open'
    this.#flush()
  }

  #settle({ results, writes, milliseconds }: Results): void {
    const { clock, metrics } = this.#options
    if (writes > 0) {
      this.#commits++
      metrics.committed(writes, milliseconds)
    }
    const now = clock.monotonic()
    for (const result of results) {
      const pending = this.#pending.get(result.id)
      this.#pending.delete(result.id)
      this.#inFlight.delete(result.id)
      if (pending?.isWrite) metrics.answered(now - pending.start)
      if (pending) this.#answer(pending, result)
    }
    this.#flush()
  }

  #answer(pending: Pending, result: Result): void {
    if (result.ok) pending.resolve(result.rows ?? [])
    else pending.reject(this.#failed(result.failure))
  }

  #failed(failure: Failure): SkerryError {
    const error = this.#counted(storeError(failure, this.#options.settings.file))
    if (failure.kind === 'damaged' && this.#state !== 'opening' && !this.#isDamaged) {
      this.#isDamaged = true
      this.#options.log.error('The database file was found damaged while it was in use', error.fields)
      this.#damage.resolve(error)
    }
    return error
  }

  #onRecovered(recovered: Recovery): void {
    const { log, metrics, settings } = this.#options
    this.#recovered = recovered
    metrics.recovered(recovered.from)
    const { backupTime, ...rest } = recovered
    const backup = backupTime === undefined ? {} : { backupTime: new Date(backupTime).toISOString() }
    const message = `The database file is damaged; ${recovered.from === 'backup' ? 'its last backup takes its place' : 'an empty one takes its place'}`
    log.error(message, { file: settings.file, ...rest, ...backup })
  }

  /** A worker that dies (out of memory, say) takes its open transaction along, nothing else: another goes on with the file. */
  #onExit(error: SkerryError): void {
    this.#worker = undefined
    this.#reject([...this.#inFlight], error)
    this.#inFlight.clear()
    if (this.#state !== 'open') return
    this.#state = 'restarting'
    this.#options.log.error('The worker of the store died; another takes over', { error: error.cause })
    this.#restartLater()
  }

  #restartLater(): void {
    const { clock, log } = this.#options
    this.#restart = clock.after(RESTART_AFTER, () => {
      this.#start().catch((error: SkerryError) => {
        log.error('The store cannot be opened again; trying on', { error })
        this.#reject([...this.#pending.keys()], error)
        this.#waiting = []
        if (this.#state === 'restarting') this.#restartLater()
      })
    })
  }

  async #close(): Promise<void> {
    const { clock, log, settings } = this.#options
    this.#state = 'closing'
    this.#restart?.[Symbol.dispose]()
    const worker = this.#worker
    if (worker) {
      const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
      try {
        this.#flush(Number.POSITIVE_INFINITY)
        post(worker, { kind: 'close' })
        await withDeadline(clock, CLOSE_WITHIN, undefined, () => exited)
      } catch (error) {
        log.warn('The store did not close in time', { file: settings.file, error })
        await worker.terminate()
      }
    }
    this.#end()
  }

  #end(): void {
    this.#state = 'closed'
    for (const gauge of this.#gauges) gauge[Symbol.dispose]()
    this.#reject([...this.#pending.keys()], storeClosed(this.#options.settings.file))
    this.#waiting = []
  }

  #reject(ids: readonly number[], error: SkerryError): void {
    for (const id of ids) {
      this.#pending.get(id)?.reject(this.#counted(error))
      this.#pending.delete(id)
    }
  }

  #counted(error: SkerryError): SkerryError {
    this.#options.metrics.failed(error.code)
    return error
  }
}

export function spawnWorker(settings: WorkerSettings): Worker {
  return threadOf('main', 'skerry-store', settings)
}

function post(worker: Worker, message: ToWorker): void {
  worker.postMessage(message)
}

/** A view of a larger buffer would be cloned with all of that buffer. */
function compact(value: SqlValue): SqlValue {
  return value instanceof Uint8Array && value.byteLength !== value.buffer.byteLength ? new Uint8Array(value) : value
}
