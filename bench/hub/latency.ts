import { DEVICES } from '../../hub/cloud/kubernetes/index.ts'
import { row, wait } from '../print.ts'
import { PATIENCE_MS, share, sorted, timeRow, within } from './figures.ts'
import { desiredPatch } from './manifests.ts'
import { type Probe, WANTED } from './probe.ts'
import { DEVICES_OF_LOAD, PROBES, type Stage, WATCHED } from './stage.ts'
import { StatusWatch } from './status-watch.ts'

const ROUNDS = 150
/** On a machine that is slow there are fewer. */
const ROUNDS_MS = 30_000
const LEAST_ROUNDS = 20
/** Between two changes, so that each is alone. */
const PAUSE_MS = 20
const REPORTS_MS = 20_000
/** A device reports once a second. */
const REPORT_EVERY_MS = 1000
const SETTLING_MS = 5000

/** Both ways between the API and a register, at rest and while 1,000 devices report once a second. */
export async function measureLatency(stage: Stage): Promise<void> {
  const end = new AbortController()
  const watch = new StatusWatch('level')
  const watching = watch.run(stage.kubernetes, PROBES, end.signal)
  try {
    const atRest = await measure(stage, watch, 'at rest')
    await stage.load(true)
    await wait(SETTLING_MS)
    const before = await sample(stage)
    await measure(stage, watch, 'with 1,000 devices', atRest)
    const after = await sample(stage)
    showLoad(before, after)
  } finally {
    await stage.load(false)
    end.abort(new Error('measured'))
    await watching
  }
}

/** p50 in ms. */
interface Measured {
  readonly desired: number
  readonly reading: number
  readonly change: number
}

async function measure(stage: Stage, watch: StatusWatch, when: string, before?: Measured): Promise<Measured> {
  const desired = sorted(`desired values ${when}`, await desiredTimes(stage), LEAST_ROUNDS)
  const watched = stage.probes.slice(0, WATCHED)
  const reports = (await Promise.all(watched.map((probe) => reportTimes(probe, watch)))).flat()
  // On a machine that is too small there are fewer, and their count tells.
  const least = WATCHED * 2
  const times = (of: (report: Report) => number) => sorted(`reports ${when}`, reports.map(of), least)
  const reading = times(({ read, shown }) => shown - read)
  const change = times(({ changed, shown }) => shown - changed)
  const measured = { desired: share(desired, 0.5), reading: share(reading, 0.5), change: share(change, 0.5) }
  const beside = (of: keyof Measured) =>
    before ? `p50 ${(measured[of] / before[of]).toFixed(1)} times that at rest` : ''
  const aim = 'aim: p50 under 50 ms'
  timeRow(`API to register, ${when}`, desired, beside('desired'))
  timeRow(`reading to watcher, ${when}`, reading, before ? `${aim}, ${beside('reading')}` : aim)
  timeRow(`changed register to watcher, ${when}`, change, beside('change') || 'read every 20 ms')
  return measured
}

async function desiredTimes({ kubernetes, probes }: Stage): Promise<readonly number[]> {
  const times: number[] = []
  const end = performance.now() + ROUNDS_MS
  for (let round = 0; round < ROUNDS && performance.now() < end; round++) {
    const probe = probes[round % probes.length]
    if (!probe) throw new Error('there are no probes')
    const begin = performance.now()
    await want(kubernetes, probe, nextValue())
    times.push(performance.now() - begin)
    await wait(PAUSE_MS)
  }
  return times
}

let value = 0
/** Never the one before. */
export function nextValue(): number {
  value = (value + 1) % 30_000
  return value
}

/** Settles when the register holds the value. */
export async function want(kubernetes: Stage['kubernetes'], probe: Probe, wanted: number): Promise<void> {
  const held = within(`the register of ${probe.name} holds ${wanted}`, PATIENCE_MS, probe.holds(wanted))
  const at = { namespace: PROBES, name: probe.name }
  const patched = kubernetes.patch(DEVICES, at, desiredPatch(WANTED, wanted), { type: 'json' })
  await Promise.all([held, patched])
}

interface Report {
  readonly changed: number
  /** The first reading of the changed register. */
  readonly read: number
  readonly shown: number
}

async function reportTimes(probe: Probe, watch: StatusWatch): Promise<readonly Report[]> {
  const reports: Report[] = []
  const begin = performance.now()
  await wait(Math.random() * REPORT_EVERY_MS)
  while (performance.now() - begin < REPORTS_MS) {
    const level = nextValue()
    const changed = performance.now()
    const showing = watch.shows(probe.name, level)
    probe.level = level
    const shown = await showing
    const read = probe.readAt
    if (read === undefined) throw new Error(`${probe.name} shows a level that was never read`)
    reports.push({ changed, read, shown })
    await wait(Math.max(0, REPORT_EVERY_MS - (performance.now() - changed)))
  }
  return reports
}

async function sample({ fleet, edge, load }: Stage) {
  const readings = await load(true)
  const reports = await edge.metric('skerry_twin_commits_total', 'outcome="stored"')
  const writes = await fleet.cloud.metric('skerry_devicecontroller_writes_total', 'outcome="written"')
  return { at: performance.now(), readings, reports, writes }
}

/** What the machine made of the load: figures beside it mean little where it did not bring it. */
function showLoad(before: Awaited<ReturnType<typeof sample>>, after: Awaited<ReturnType<typeof sample>>): void {
  const seconds = (after.at - before.at) / 1000
  const [readings, reports, writes] = [
    after.readings / seconds,
    (after.reports - before.reports) / seconds,
    (after.writes - before.writes) / seconds,
  ]
  row('the load: devices read', `${readings.toFixed(0)}/s`, `${(readings / DEVICES_OF_LOAD).toFixed(2)} of planned`)
  row(
    'the load: twins changed on disk',
    `${reports.toFixed(0)}/s`,
    `${(reports / DEVICES_OF_LOAD).toFixed(2)} of planned`,
  )
  row(
    'the load: writes of states to the API',
    `${writes.toFixed(0)}/s`,
    `${(writes / reports).toFixed(2)} for each report`,
  )
  // A machine that is slow brings less, and the ratios tell; this is no load at all.
  if (reports < DEVICES_OF_LOAD / 20 || writes < DEVICES_OF_LOAD / 100)
    throw new Error('the devices of the load did not report')
}
