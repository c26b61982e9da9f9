import type { Logger } from '../../../platform/log/index.ts'
import { type Clock, DeadlineError, type Duration, ms, withDeadline } from '../../../platform/time/index.ts'
import type { LocalBroker, MapperContext } from '../../contract/index.ts'
import type { AnyMapper, DevicePlan } from '../admission/admission.ts'
import type { HostSettings } from '../settings.ts'
import { patienceFor } from './patience.ts'

export interface ConnectOptions {
  readonly key: string
  readonly mapper: Pick<AnyMapper, 'connect' | 'deadline'>
  readonly clock: Clock
  readonly log: Logger
  readonly settings: HostSettings
  readonly folder: string
  readonly broker?: LocalBroker | undefined
}

/** A connection to a device, within its deadline. One that comes later is closed at once. */
export async function connect(
  device: Pick<DevicePlan, 'config' | 'properties' | 'callables'>,
  options: ConnectOptions,
  signal: AbortSignal,
): Promise<AsyncDisposable> {
  const { mapper, clock, log, folder, broker } = options
  const deadline = deadlineOf(device, options)
  const connecting: { late: boolean } = { late: false }
  try {
    return await withDeadline(clock, deadline, signal, async (limited) => {
      const context: MapperContext = {
        clock: { now: () => clock.now(), sleep: (milliseconds, until) => clock.sleep(ms(milliseconds), until) },
        log: {
          debug: (message, fields) => log.debug(message, { ...fields }),
          warn: (message, fields) => log.warn(message, { ...fields }),
        },
        signal: limited,
        folder,
        ...(broker ? { broker } : {}),
      }
      const connection = await mapper.connect(device.config, context)
      // A driver that ignored the deadline still hands over a connection, which nobody would close.
      if (connecting.late) void dispose(connection, options)
      return connection
    })
  } catch (error) {
    connecting.late = true
    if (error instanceof DeadlineError) {
      throw new Error(`no connection within ${deadline.milliseconds} ms`, { cause: error })
    }
    throw error
  }
}

/** A device that may take long for one answer may take as long to connect. */
function deadlineOf(
  { config, properties, callables }: Pick<DevicePlan, 'config' | 'properties' | 'callables'>,
  { mapper, settings }: ConnectOptions,
): Duration {
  const [first] = [...properties.slice(0, 1), ...callables.slice(0, 1)]
  const patience = first ? patienceFor(mapper, config, [first.visit]) : 0
  return ms(Math.max(settings.connectDeadline.milliseconds, patience))
}

/** Within its deadline. Never rejects. */
export async function dispose(
  connection: AsyncDisposable,
  { clock, settings, log, key }: Pick<ConnectOptions, 'clock' | 'settings' | 'log' | 'key'>,
): Promise<void> {
  try {
    await withDeadline(clock, settings.disposeDeadline, undefined, async () => connection[Symbol.asyncDispose]())
  } catch (error) {
    log.warn('A connection did not close cleanly', { line: key, error })
  }
}
