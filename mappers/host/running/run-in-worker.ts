import { MessageChannel, Worker } from 'node:worker_threads'
import { type Bus, serveBus } from '../../../platform/bus/index.ts'
import { describeError, UnavailableError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { type Clock, type Duration, ms, seconds } from '../../../platform/time/index.ts'
import { deviceRefusals } from '../../../schemas/index.ts'
import type { LocalBroker } from '../../contract/index.ts'
import type { HostStats } from '../stats.ts'
import type { MapperSource } from './source.ts'
import { STOP, type WorkerMessage, type WorkerStart } from './worker-messages.ts'

export interface WorkerOptions {
  readonly source: MapperSource
  readonly bus: Bus
  readonly clock: Clock
  readonly log: Logger
  /** Of the mapper alone; exists. */
  readonly folder: string
  readonly broker?: LocalBroker | undefined
  onStats(stats: HostStats): void
  /** Default 10 s: a thread that shows no life for so long is ended. */
  readonly silence?: Duration
  /** Default 256: old-generation heap of the thread. */
  readonly heapMegabytes?: number
}

const STOP_DEADLINE = seconds(4)
const DEFAULT_SILENCE = seconds(10)

/** Runs a mapper in its own thread. Settles when it ended because the signal aborted; rejects when it ended otherwise. */
export async function runInWorker(options: WorkerOptions, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  const { bus, log, source, clock } = options
  const channel = new MessageChannel()
  using _served = serveBus(bus, channel.port1, log, { removeOnClose: [deviceRefusals] })
  const worker = startThread(options, channel.port2)
  const ended = endOf(worker)
  const watchdog = new Watchdog(clock, options.silence ?? DEFAULT_SILENCE, () => void worker.terminate())
  worker.on('message', (message: WorkerMessage) => {
    if (message.type === 'log') return log[message.level](message.message, message.fields)
    watchdog.feed()
    options.onStats(message.stats)
  })
  const stop = () => {
    worker.postMessage(STOP)
    watchdog.within(STOP_DEADLINE)
  }
  signal.addEventListener('abort', stop, { once: true })
  try {
    const failure = await ended
    if (signal.aborted) return
    throw new UnavailableError('The thread of the mapper ended', {
      code: 'MAPPERS_THREAD_ENDED',
      fields: { mapper: source.protocol },
      cause: watchdog.barked ? new Error('it showed no life and was ended') : failure,
    })
  } finally {
    signal.removeEventListener('abort', stop)
    watchdog.stop()
  }
}

function startThread({ source, folder, broker, heapMegabytes = 256 }: WorkerOptions, bus: WorkerStart['bus']): Worker {
  const start: WorkerStart = {
    entry: source.entry.href,
    protocol: source.protocol,
    protocols: [source.protocol, ...(source.aliases ?? [])],
    folder,
    broker,
    bus,
  }
  const file = import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js'
  return new Worker(new URL(file, import.meta.url), {
    name: `mapper-${source.protocol}`,
    workerData: start,
    transferList: [bus],
    resourceLimits: { maxOldGenerationSizeMb: heapMegabytes },
  })
}

/** Why the thread ended; undefined when it ended by itself. */
function endOf(worker: Worker): Promise<Error | undefined> {
  const { promise, resolve } = Promise.withResolvers<Error | undefined>()
  let failure: Error | undefined
  worker.on('error', (error: unknown) => {
    failure = error instanceof Error ? error : new Error(describeError(error))
  })
  worker.once('exit', (code) => resolve(failure ?? (code === 0 ? undefined : new Error(`exit code ${code}`))))
  return promise
}

/** Barks once when it was not fed in time. */
class Watchdog {
  readonly #clock: Clock
  readonly #patience: Duration
  readonly #bark: () => void
  #timer: Disposable | undefined
  #last = false
  barked = false

  constructor(clock: Clock, patience: Duration, bark: () => void) {
    this.#clock = clock
    this.#patience = patience
    this.#bark = bark
    this.#arm(patience)
  }

  feed(): void {
    if (!this.#last) this.#arm(this.#patience)
  }

  /** The last meal. */
  within(duration: Duration): void {
    this.#last = true
    this.#arm(duration)
  }

  stop(): void {
    this.#last = true
    this.#timer?.[Symbol.dispose]()
  }

  #arm(duration: Duration): void {
    this.#timer?.[Symbol.dispose]()
    this.#timer = this.#clock.after(ms(duration.milliseconds), () => {
      this.barked = true
      this.#bark()
    })
  }
}
