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
import { type TellPagesPorts, tellPages } from '../session/tell-pages.ts'

export interface ConfirmedDigestPorts extends TellPagesPorts {
  readonly frames: FrameFactory
}

/** Whose confirmations are told, and who hears of those that the cloud does not hold. */
export interface Confirmations {
  readonly devices: readonly DeviceId[]
  /** Nothing where nothing is confirmed. */
  confirmedOf(id: DeviceId): ConfirmedDevice | undefined
  lacking(id: DeviceId): void
}

/**
 * Once for each link to a Skerry cloud: what is believed confirmed is told, a bounded frame after the other, and what the cloud
 * lacks of it goes up again. It never gives up while the link lasts, and delays no report.
 */
export async function compareConfirmed(ports: ConfirmedDigestPorts, of: Confirmations, road: Road): Promise<void> {
  const tell = (ids: readonly DeviceId[]) => comparePage(ports, of, { road, ids })
  await tellPages(ports, { items: of.devices, bound: DIGEST_BOUND, tell }, road.signal)
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
