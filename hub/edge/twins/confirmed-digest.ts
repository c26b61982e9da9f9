import { describeError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { Backoff, type Clock, type Random, seconds } from '../../../platform/time/index.ts'
import {
  type ConfirmedDevice,
  type DeviceId,
  DIGEST_BOUND,
  DIGEST_RESOURCE,
  type Frame,
  GROUPS,
  type Json,
  MODULES,
  OPERATIONS,
} from '../../../schemas/index.ts'
import { contentOf, type FrameFactory } from '../../link/index.ts'
import type { Road } from '../road.ts'

export interface ConfirmedDigestPorts {
  readonly frames: FrameFactory
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

/** Whose confirmations are told, and who hears of those that the cloud does not hold. */
export interface Confirmations {
  readonly devices: readonly DeviceId[]
  /** Nothing where nothing is confirmed. */
  confirmedOf(id: DeviceId): ConfirmedDevice | undefined
  lacking(id: DeviceId): void
}

const REST = { first: seconds(1), most: seconds(60) }

/**
 * Once for each link to a Skerry cloud: what is believed confirmed is told, a bounded frame after the other, and what the cloud
 * lacks of it goes up again. It never gives up while the link lasts, and delays no report.
 */
export async function compareConfirmed(ports: ConfirmedDigestPorts, of: Confirmations, road: Road): Promise<void> {
  const { clock, random, log } = ports
  const backoff = new Backoff(REST, random)
  const ids = [...of.devices]
  for (let at = 0; at < ids.length && !road.signal.aborted; ) {
    try {
      await comparePage(ports, of, { road, ids: ids.slice(at, at + DIGEST_BOUND) })
      at += DIGEST_BOUND
      backoff.reset()
    } catch (error) {
      if (road.signal.aborted) return
      const wait = backoff.next()
      log.debug('The cloud did not compare what it has confirmed', { error: describeError(error) })
      await clock.sleep(wait, road.signal).catch(() => undefined)
    }
  }
}

async function comparePage(
  { frames, log }: ConfirmedDigestPorts,
  of: Confirmations,
  { road, ids }: { readonly road: Road; readonly ids: readonly DeviceId[] },
): Promise<void> {
  // Anew for each try: more may have been confirmed meanwhile.
  const devices = ids.flatMap((id) => of.confirmedOf(id) ?? [])
  if (devices.length === 0) return
  const route = { source: MODULES.twin, group: GROUPS.resource, operation: OPERATIONS.query, resource: DIGEST_RESOURCE }
  const content: Json = { skerry: { devices: devices.map((device) => ({ ...device })) } }
  const missing = missingIn(await road.ask(frames.make(route, content)))
  const asked = new Set(ids)
  const lacking = missing.filter((id) => asked.has(id))
  if (lacking.length > 0)
    log.warn('The cloud lacks what it had confirmed: it is told again', { devices: lacking.length })
  for (const id of lacking) of.lacking(id)
}

function missingIn(answer: Frame): readonly string[] {
  const content: unknown = contentOf(answer)
  const skerry: unknown = Reflect.get(Object(content), 'skerry')
  const missing: unknown = Reflect.get(Object(skerry), 'missing')
  if (!Array.isArray(missing)) throw new Error('the answer names nothing')
  return missing.filter((id) => typeof id === 'string')
}
