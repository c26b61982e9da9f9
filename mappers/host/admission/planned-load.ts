import type { AnyMapper, AnyVisit, DevicePlan } from './admission.ts'

/**
 * Share of its time that a connection needs to read these devices as their cycles ask for; 1 is all of it. Undefined where the
 * mapper cannot say. What falls due together is one call, so multiples of a cycle cost a little less than counted here.
 */
export function plannedLoad(mapper: Pick<AnyMapper, 'busTime'>, devices: Iterable<DevicePlan>): number | undefined {
  if (!mapper.busTime) return undefined
  let load = 0
  for (const cycles of byPeerAndCycle(devices).values()) {
    for (const [cycle, visits] of cycles) {
      const time = busTime(mapper, visits)
      if (time === undefined || !Number.isFinite(time) || time < 0) return undefined
      load += time / cycle
    }
  }
  return Math.round(load * 1000) / 1000
}

/** A mapper that cannot count must not stop its devices. */
function busTime(mapper: Pick<AnyMapper, 'busTime'>, visits: readonly AnyVisit[]): number | undefined {
  try {
    return mapper.busTime?.(visits)
  } catch {
    return undefined
  }
}

/** What to say to the devices of a connection that is asked for more than it can do; undefined while it fits. */
export function overloadMessage(key: string, load: number, devices: number): string | undefined {
  if (load <= 1) return undefined
  const needed = Math.round(load * 1000)
  const factor = Math.ceil(load * 10) / 10
  const whose = devices === 1 ? 'this device asks' : `its ${devices} devices ask`
  return (
    `the cycles cannot be kept: of connection ${key}, ${whose} for ${needed} ms of reading in every second, and there are 1000 ms. ` +
    `Make every collectCycle on it ${factor} times as long, read fewer properties, or make the line faster`
  )
}

function byPeerAndCycle(devices: Iterable<DevicePlan>): ReadonlyMap<string, ReadonlyMap<number, readonly AnyVisit[]>> {
  const peers = new Map<string, Map<number, AnyVisit[]>>()
  for (const { peer, properties } of devices) {
    const cycles = peers.get(peer) ?? new Map<number, AnyVisit[]>()
    peers.set(peer, cycles)
    for (const { isPolled, collect, visit } of properties) {
      if (!isPolled) continue
      const visits = cycles.get(collect.milliseconds)
      if (visits) visits.push(visit)
      else cycles.set(collect.milliseconds, [visit])
    }
  }
  return peers
}
