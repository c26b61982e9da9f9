import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DEFAULT_DEVICE_LIMITS } from '../../hub/cloud/device-controller/limits.ts'
import { DEVICE_MODELS, DEVICES, type Kubernetes, kubernetesFromConfig } from '../../hub/cloud/kubernetes/index.ts'
import { silentLogger as log } from '../../platform/log/index.ts'
import { systemClock as clock } from '../../platform/time/index.ts'
import { Fleet, type Half } from '../../runtime/process/testing/fleet.ts'
import { eventually } from '../../runtime/process/testing/run.ts'
import type { Device } from '../../schemas/index.ts'
import { forEach } from './figures.ts'
import { deviceAt, modelOf } from './manifests.ts'
import { Probe } from './probe.ts'
import { undoLater } from './undo.ts'

export const DEVICES_OF_LOAD = 1000
export const PROBES = 'probes'
const EDGE = 'edge-1'
const GATEWAYS = 5
/** A thousand devices that come at once are told of before anything is measured, and not for minutes afterwards. */
const EVENTS_PER_SECOND = 500
const AT_ONCE = 16
/** Probes whose level is looked at often. The others are there for their desired values alone. */
export const WATCHED = 8
const WATCHED_CYCLE_MS = 20
const LOAD_REGISTERS = ['first', 'second', 'third'].map((name) => ({ name, cycleMs: 1000 }))

/** A cloud and an edge as people run them, with probes in this process and 1,000 devices in a process of theirs. */
export interface Stage {
  readonly fleet: Fleet
  readonly edge: Half
  readonly kubernetes: Kubernetes
  readonly probes: readonly Probe[]
  /** Whether the values of the 1,000 devices change each second. Gives how many readings of them there were since. */
  load(isOn: boolean): Promise<number>
}

export async function openCloud(): Promise<{ readonly fleet: Fleet; readonly kubernetes: Kubernetes }> {
  const fleet = await Fleet.start({ devices: { ...DEFAULT_DEVICE_LIMITS, eventsPerSecond: EVENTS_PER_SECOND } })
  undoLater(() => fleet[Symbol.asyncDispose]())
  const text = await readFile(join(fleet.cloud.directory, 'kubeconfig'), 'utf8')
  const kubernetes = await kubernetesFromConfig({ text }, { clock, log })
  undoLater(async () => kubernetes[Symbol.dispose]())
  return { fleet, kubernetes }
}

export async function openStage(): Promise<Stage> {
  const { fleet, kubernetes } = await openCloud()
  const units = DEVICES_OF_LOAD / GATEWAYS
  const plant = child('plant.ts', String(GATEWAYS), String(units))
  const [ports]: unknown[] = await once(plant, 'message')
  const edge = await fleet.join(EDGE)
  await fleet.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: PROBES } })
  const probes = await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => Probe.open(`probe-${index}`)))
  undoLater(async () => {
    for (const probe of probes) await probe[Symbol.asyncDispose]()
  })
  await kubernetes.create(DEVICE_MODELS, PROBES, modelOf(PROBES, ['wanted', 'level']))
  await kubernetes.create(
    DEVICE_MODELS,
    'default',
    modelOf(
      'default',
      LOAD_REGISTERS.map(({ name }) => name),
    ),
  )
  await apply(kubernetes, [...probes.map(probeDevice), ...loadDevices(Object(ports), units)])
  await untilServed({ fleet, edge }, DEVICES_OF_LOAD + probes.length)
  const load = async (isOn: boolean) => {
    plant.send(isOn ? 'run' : 'rest')
    const [{ readings }] = await once(plant, 'message')
    return Number(readings)
  }
  return { fleet, edge, kubernetes, probes, load }
}

/** A process of this folder; it ends with this one. */
export function child(file: string, ...args: readonly string[]): ChildProcess {
  const started = fork(join(import.meta.dirname, file), args, { serialization: 'advanced' })
  undoLater(async () => {
    if (started.connected) started.disconnect()
    if (started.exitCode === null && started.signalCode === null) {
      started.kill('SIGKILL')
      await once(started, 'exit')
    }
  })
  return started
}

export async function apply(kubernetes: Kubernetes, devices: readonly Device[]): Promise<void> {
  await forEach(devices, AT_ONCE, (device) => kubernetes.create(DEVICES, device.metadata.namespace, device))
}

/** Nothing is on its way in either direction. */
export function untilQuiet(fleet: Fleet, timeoutMs = 150_000): Promise<unknown> {
  return eventually(
    'nothing waits at the cloud',
    async () => {
      const waiting =
        (await fleet.cloud.metric('skerry_cloudhub_outbox_depth')) +
        (await fleet.cloud.metric('skerry_devicecontroller_writes_waiting')) +
        (await fleet.cloud.metric('skerry_devicecontroller_events_waiting'))
      if (waiting === 0) return true
      throw new Error(`${waiting} wait`)
    },
    timeoutMs,
  )
}

async function untilServed({ fleet, edge }: Pick<Stage, 'fleet' | 'edge'>, devices: number): Promise<void> {
  const properties = (devices - DEVICES_OF_LOAD) * 2 + DEVICES_OF_LOAD * LOAD_REGISTERS.length
  await eventually(
    'the edge has a value of each property',
    async () => {
      const good = await edge.metric('skerry_twin_properties', 'quality="good"')
      if (good >= properties) return true
      throw new Error(`${good} of ${properties}`)
    },
    150_000,
  )
  await untilQuiet(fleet)
}

function probeDevice({ name, port }: Probe, index: number): Device {
  const registers = [
    { name: 'wanted', cycleMs: 1000 },
    { name: 'level', cycleMs: index < WATCHED ? WATCHED_CYCLE_MS : 1000 },
  ]
  return deviceAt({ namespace: PROBES, name, node: EDGE, port, unitId: 1, registers })
}

function loadDevices(ports: readonly number[], units: number): readonly Device[] {
  return Array.from({ length: DEVICES_OF_LOAD }, (_, index) =>
    deviceAt({
      ...{ namespace: 'default', name: `device-${index}`, node: EDGE },
      port: ports[Math.floor(index / units)] ?? 0,
      unitId: (index % units) + 1,
      registers: LOAD_REGISTERS,
    }),
  )
}
