import { BugError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { type Clock, DeadlineError, withDeadline } from '../../../platform/time/index.ts'
import type { DeviceId } from '../../../schemas/index.ts'
import { isDeviceSilent, type Outcome, type Reading, type Report, type VisitId } from '../../contract/index.ts'
import type { AnyMapper } from '../admission/admission.ts'
import type { HostSettings } from '../settings.ts'
import type { HostStats } from '../stats.ts'
import { toReading } from '../values/reading.ts'
import type { Reporter } from './reporter.ts'
import type { ServedDevice, ServedProperty } from './served-device.ts'

export interface GapContext {
  readonly mapper: AnyMapper
  readonly clock: Clock
  readonly log: Logger
  readonly settings: HostSettings
  readonly stats: HostStats
  readonly reporter: Reporter
  /** Until when the twin of a device is known, where nobody here has served it before. */
  knownUntil(id: DeviceId, uid: string): Promise<number | undefined>
  readonly signal: AbortSignal
}

/**
 * Asks for what was recorded during an outage, and reports it in its order, before anything newer is read. Tried once for an
 * outage; only a device that falls silent again, or a lost connection, leaves the gap open.
 */
export async function fillGap(device: ServedDevice, connection: AsyncDisposable, context: GapContext): Promise<void> {
  const { mapper, clock, settings, log, signal } = context
  const since = device.gapSince ?? (await context.knownUntil(device.id, device.plan.uid))
  if (since === undefined) {
    device.closeGap()
    return
  }
  const recorder = new Recorder(device, context)
  const visits = device.properties.map(({ plan }) => plan.visit)
  let running: Promise<unknown> = Promise.resolve()
  try {
    await withDeadline(clock, settings.historyDeadline, signal, (limited) => {
      const asked = Promise.resolve(mapper.history?.(connection, visits, since, recorder.report, limited))
      running = asked.catch(() => undefined)
      return asked
    })
  } catch (error) {
    recorder.end()
    if (signal.aborted) throw error
    if (isDeviceSilent(error)) {
      device.gapFailed()
      throw error
    }
    log.warn('What a device recorded while it was away is not known', { device: device.id, since, error })
    if (error instanceof DeadlineError) await ended(running, context)
  } finally {
    recorder.end()
  }
  device.closeGap()
}

/** Calls of a driver never overlap: one that does not give up costs the connection. */
async function ended(running: Promise<unknown>, { mapper, clock, settings, signal }: GapContext): Promise<void> {
  try {
    await withDeadline(clock, settings.disposeDeadline, signal, () => running)
  } catch (error) {
    signal.throwIfAborted()
    throw new BugError('The mapper does not end its history when it is told to', {
      code: 'MAPPERS_HISTORY_HANGS',
      fields: { mapper: mapper.protocol },
      cause: error,
    })
  }
}

/** Takes what is newer than what was told of each property, in the order of its source. */
class Recorder {
  readonly #device: ServedDevice
  readonly #context: GapContext
  readonly #properties: ReadonlyMap<VisitId, ServedProperty>
  readonly #newest = new Map<VisitId, number>()
  #isOver = false

  constructor(device: ServedDevice, context: GapContext) {
    this.#device = device
    this.#context = context
    this.#properties = new Map(device.properties.map((property) => [property.id, property]))
    for (const { id, last } of device.properties) if (last) this.#newest.set(id, last.reading.sourceTime)
  }

  readonly report: Report = (id: VisitId, outcome: Outcome<Reading>) => {
    const property = this.#properties.get(id)
    if (this.#isOver || !property || !outcome.ok) return
    const { sourceTime } = outcome.value
    const isNewer = sourceTime !== undefined && sourceTime > (this.#newest.get(id) ?? Number.NEGATIVE_INFINITY)
    if (!isNewer || !Number.isFinite(sourceTime)) return
    this.#newest.set(id, sourceTime)
    const { reporter, clock, stats } = this.#context
    const reading = toReading(property.plan, outcome, clock.now(), property.echo)
    if (reading.value === undefined || !this.#device.isNews(property, reading)) return
    stats.recordedReadings++
    reporter.recorded(this.#device.id, { ...reading, history: true })
  }

  end(): void {
    this.#isOver = true
  }
}
