import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Device, DeviceModel } from '../schemas/index.ts'
import { parseTwin } from '../schemas/index.ts'
import { API, NODE, writeEdgeFolder } from './edge-folder.ts'
import { row, wait } from './print.ts'
import { cpuByThread, cpuSeconds, type RunningEdge, residentMb, startEdge } from './running-edge.ts'

const GATEWAYS = 5
const PROPERTIES = 30
const SETTLING_MS = 5000

export interface WholeWay {
  readonly devices: number
  readonly cycleMs: number
  readonly seconds: number
  /** Options of Node.js for the edge, to profile it. */
  readonly nodeOptions?: readonly string[]
}

/**
 * From registers that change with each reading, through the Modbus mapper in its thread, to twins on disk: `skerry edge` as people
 * run it, and the devices in a process beside it.
 */
export async function measureWholeWay({ devices, cycleMs, seconds, nodeOptions = [] }: WholeWay): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'skerry-bench-'))
  const units = Math.ceil(devices / GATEWAYS)
  const plant = fork(join(import.meta.dirname, 'counting-plant.ts'), [String(GATEWAYS), String(units)], {
    serialization: 'advanced',
  })
  try {
    const [ports]: unknown[] = await once(plant, 'message')
    const all = Array.from({ length: devices }, (_, index) => deviceOf(index, units, Object(ports), cycleMs))
    await writeEdgeFolder(folder, { model: modelOf(), devices: all, hasTwins: false })
    const begin = performance.now()
    const edge = await startEdge(folder, nodeOptions)
    try {
      await firstValues(edge, devices * PROPERTIES)
      row('start to ready', `${(edge.startMs / 1000).toFixed(2)} s`)
      const firstMs = performance.now() - begin
      const cpu = `with ${(await cpuSeconds(edge.pid)).toFixed(1)} s of processor time`
      row('start to a first value of each on disk', `${(firstMs / 1000).toFixed(2)} s`, cpu)
      await wait(SETTLING_MS)
      await watch(edge, plant, folder, { devices, cycleMs, seconds })
    } finally {
      await edge.stop()
    }
  } finally {
    plant.disconnect()
    await rm(folder, { recursive: true })
  }
}

async function firstValues(edge: RunningEdge, count: number): Promise<void> {
  while ((await edge.metrics())('skerry_twin_properties', 'quality="good"') < count) await wait(250)
}

/** Everything that was counted so far. */
async function sample(edge: RunningEdge, plant: ChildProcess, folder: string) {
  const [threads, plantCpu] = [await cpuByThread(edge.pid), await cpuSeconds(plant.pid ?? 0)]
  const metric = await edge.metrics()
  plant.send('so far?')
  const [{ requests, gaps }] = await once(plant, 'message')
  const at = performance.now()
  return { at, threads, plantCpu, metric, requests, gaps, changes: changesOnDisk(folder) }
}

async function watch(edge: RunningEdge, plant: ChildProcess, folder: string, { devices, cycleMs, seconds }: WholeWay) {
  const before = await sample(edge, plant, folder)
  await wait(seconds * 1000)
  const after = await sample(edge, plant, folder)
  const took = (after.at - before.at) / 1000
  const perSecond = (name: string, labels = '') => (after.metric(name, labels) - before.metric(name, labels)) / took
  const planned = (devices * PROPERTIES * 1000) / cycleMs
  const changes = (after.changes - before.changes) / took
  const gaps: Float64Array = after.gaps
  const gap = (share: number) => (gaps[Math.floor((gaps.length - 1) * share)] ?? Number.NaN).toFixed(0)
  row(
    'property changes on disk',
    `${changes.toFixed(0)}/s`,
    `${(changes / planned).toFixed(3)} of ${planned}${cycleMs < 1000 ? '' : ' (at least 0.99)'}`,
  )
  const read = perSecond('skerry_mapper_visits_total')
  row('properties read', `${read.toFixed(0)}/s`, `${(changes / read).toFixed(3)} of them changed on disk`)
  row('twins on disk', `${perSecond('skerry_twin_commits_total', 'outcome="stored"').toFixed(0)}/s`)
  row('requests to devices', `${(after.requests / took).toFixed(0)}/s`)
  row('transactions', `${perSecond('skerry_store_commits_total').toFixed(0)}/s`)
  row(`cycle, planned ${cycleMs} ms`, `p1 ${gap(0.01)} p50 ${gap(0.5)} p99 ${gap(0.99)} most ${gap(1)} ms`)
  const lag = (name: string) => (after.metric(name) * 1000).toFixed(0)
  row(
    'event loop delay of the main thread',
    `mean ${lag('nodejs_eventloop_lag_mean_seconds')} p99 ${lag('nodejs_eventloop_lag_p99_seconds')} ms`,
  )
  const cpu = [...after.threads].map(
    ([name, spent]) => [name, (spent - (before.threads.get(name) ?? 0)) / took] as const,
  )
  const shares = cpu.filter(([, share]) => share >= 0.005).sort(([, a], [, b]) => b - a)
  for (const [name, share] of shares) row(`processor: ${name}`, `${(share * 100).toFixed(0)} % of a core`)
  row('processor: the devices', `${(((after.plantCpu - before.plantCpu) / took) * 100).toFixed(0)} % of a core`)
  row('resident', `${(await residentMb(edge.pid)).toFixed(0)} MB`)
}

/** Each change of a property that the twin took raised its version. */
function changesOnDisk(folder: string): number {
  using database = new DatabaseSync(join(folder, 'edge.db'), { readOnly: true })
  let changes = 0
  for (const { document } of database.prepare('SELECT document FROM twin').iterate()) {
    const twin = parseTwin(String(document))
    for (const { reported } of Object.values(twin?.properties ?? {})) changes += reported?.version.edge ?? 0
  }
  return changes
}

export function modelOf(): DeviceModel {
  return {
    ...{ apiVersion: API, kind: 'DeviceModel', metadata: { namespace: 'default', name: 'bench', uid: 'model' } },
    spec: {
      protocol: 'modbus',
      properties: Array.from({ length: PROPERTIES }, (_, index) => ({
        ...{ name: `property-${index}`, type: 'INT' as const, accessMode: 'ReadOnly' as const },
      })),
    },
  }
}

export function deviceOf(index: number, units: number, ports: readonly number[], cycleMs: number): Device {
  const port = ports[Math.floor(index / units)] ?? 0
  return {
    ...{ apiVersion: API, kind: 'Device' },
    metadata: { namespace: 'default', name: `device-${index}`, uid: `device-${index}`, generation: 1 },
    spec: {
      deviceModelRef: { name: 'bench' },
      nodeName: NODE,
      protocol: {
        protocolName: 'modbus',
        configData: { host: '127.0.0.1', port, unitId: (index % units) + 1 },
      },
      properties: Array.from({ length: PROPERTIES }, (_, each) => ({
        ...{ name: `property-${each}`, collectCycle: cycleMs, reportToCloud: true },
        visitors: { protocolName: 'modbus', configData: { register: 'HoldingRegister', offset: each, limit: 1 } },
      })),
    },
  }
}
