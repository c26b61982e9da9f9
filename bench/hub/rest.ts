import { row, wait } from '../print.ts'
import { DEVICES_OF_LOAD, type Stage, untilQuiet } from './stage.ts'

const WINDOW_MS = 30_000
const WRITES = ['create', 'update', 'patch', 'delete']

/** What devices cost the API whose values do not change; their states are reported every ten seconds. */
export async function measureRest({ fleet, probes, load }: Stage): Promise<void> {
  await untilQuiet(fleet)
  // The answer holds the readings since the last; the second one those of the window alone.
  await load(false)
  const before = await requests(fleet)
  await wait(WINDOW_MS)
  const after = await requests(fleet)
  const readings = await load(false)
  if (readings < DEVICES_OF_LOAD) throw new Error(`only ${readings} readings of devices while at rest`)
  const minutes = WINDOW_MS / 60_000
  const devices = DEVICES_OF_LOAD + probes.length
  const written = WRITES.map((verb) => ({ verb, count: (after.get(verb) ?? 0) - (before.get(verb) ?? 0) }))
  const writes = written.reduce((sum, { count }) => sum + count, 0)
  // The Lease of the node is renewed every ten seconds whatever happens.
  if (writes === 0) throw new Error('not a single write was counted, though the node renews its Lease')
  const by = written.map(({ verb, count }) => `${count} ${verb}`).join(', ')
  row(`API writes at rest, ${devices} devices`, `${(writes / minutes / devices).toFixed(4)} per device and minute`, by)
}

async function requests(fleet: Stage['fleet']): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>()
  for (const verb of WRITES) counts.set(verb, await fleet.cloud.metric('skerry_api_requests_total', `verb="${verb}"`))
  return counts
}
