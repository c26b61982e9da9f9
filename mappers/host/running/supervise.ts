import type { Readable } from 'node:stream'
import { type BusPort, serveBus } from '../../../platform/bus/index.ts'
import { UnavailableError } from '../../../platform/lifecycle/index.ts'
import { type Clock, type Duration, ms, seconds } from '../../../platform/time/index.ts'
import { deviceRefusals } from '../../../schemas/index.ts'
import { isMapperMessage, STOP } from './messages.ts'
import { boundedLines, logOutput } from './output.ts'
import type { RunOptions } from './runner.ts'

/** A mapper that runs apart, as its thread or process looks from here. */
export interface Apart {
  readonly control: BusPort
  readonly bus: BusPort
  readonly output: readonly Readable[]
  /** Why it ended; undefined when it ended by itself. */
  readonly ended: Promise<Error | undefined>
  kill(): void
}

const STOP_DEADLINE = seconds(4)
const DEFAULT_SILENCE = seconds(10)
/** Until the first sign of life: a slow or busy machine takes long to load what a mapper runs in. */
const START_DEADLINE = seconds(60)
const MEGABYTE = 1 << 20

/**
 * Watches over a mapper until it ends: serves the bus to it, takes over what it logs and prints, and ends it when it shows no
 * life, takes too much memory, or does not stop in time. Settles and rejects as a Runner does.
 */
export async function supervise(
  options: RunOptions,
  where: 'thread' | 'process',
  start: () => Apart,
  signal: AbortSignal,
): Promise<void> {
  if (signal.aborted) return
  const { bus, source, clock, heapMegabytes } = options
  const log = boundedLines(options.log.child({ mapper: source.protocol }), clock)
  const mapper = start()
  using _served = serveBus(bus, mapper.bus, log, { removeOnClose: [deviceRefusals] })
  let verdict: string | undefined
  const condemn = (reason: string) => {
    verdict ??= reason
    mapper.kill()
  }
  const watchdog = new Watchdog(clock, START_DEADLINE, () => {
    condemn(signal.aborted ? 'it did not stop in time' : 'it showed no life and was ended')
  })
  logOutput(mapper.output, log)
  mapper.control.on('message', (data: unknown) => {
    // A library may take the port of the thread for its own and say something else there.
    if (!isMapperMessage(data)) return
    const message = data
    if (message.type === 'log') return log[message.level](message.message, message.fields)
    watchdog.feed(options.silence ?? DEFAULT_SILENCE)
    options.onBeat(message)
    const megabytes = Math.round((message.memory?.buffers ?? 0) / MEGABYTE)
    if (megabytes > heapMegabytes) condemn(`it held ${megabytes} MiB of buffers, more than ${heapMegabytes}`)
  })
  const stop = () => {
    mapper.control.postMessage(STOP)
    watchdog.within(STOP_DEADLINE)
  }
  signal.addEventListener('abort', stop, { once: true })
  try {
    const failure = await mapper.ended
    if (signal.aborted) return
    const details = { fields: { mapper: source.protocol }, cause: verdict === undefined ? failure : new Error(verdict) }
    throw where === 'thread'
      ? new UnavailableError('The thread of the mapper ended', { code: 'MAPPERS_THREAD_ENDED', ...details })
      : new UnavailableError('The process of the mapper ended', { code: 'MAPPERS_PROCESS_ENDED', ...details })
  } finally {
    signal.removeEventListener('abort', stop)
    watchdog.stop()
  }
}

/** Barks once when it was not fed in time. */
class Watchdog {
  readonly #clock: Clock
  readonly #bark: () => void
  #timer: Disposable | undefined
  #last = false

  constructor(clock: Clock, patience: Duration, bark: () => void) {
    this.#clock = clock
    this.#bark = bark
    this.#arm(patience)
  }

  /** The next meal has to come within the patience. */
  feed(patience: Duration): void {
    if (!this.#last) this.#arm(patience)
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
    this.#timer = this.#clock.after(ms(duration.milliseconds), this.#bark)
  }
}
