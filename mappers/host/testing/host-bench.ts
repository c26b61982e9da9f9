import { createLocalBus } from '../../../platform/bus/index.ts'
import { memoryLogger } from '../../../platform/log/testing/index.ts'
import { ms, type Random } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import {
  type AssignedDevice,
  assignedDevices,
  type DeviceProperty,
  type DeviceReport,
  type DeviceStateReport,
  deviceIdOf,
  deviceOrders,
  knownUntil,
  type ModelProperty,
  reportDevices,
  reportStates,
} from '../../../schemas/index.ts'
import type { AnyMapper } from '../admission/admission.ts'
import { runProtocolHost } from '../protocol-host.ts'
import { createStats } from '../stats.ts'

export const steadyRandom: Random = {
  next: () => 0,
  bytes: (count) => new Uint8Array(count),
  uuid: () => '00000000-0000-4000-8000-000000000000',
}

/** A protocol host on virtual time, with a bus whose twin writes down what it is told. */
export function hostBench(mapper: AnyMapper, random: Random = steadyRandom) {
  const clock = new FakeClock()
  const log = memoryLogger()
  const bus = createLocalBus(clock, log)
  const reports: DeviceReport[] = []
  const states: DeviceStateReport[] = []
  const unknown = new Set<string>()
  const known = <T extends { readonly id: string }>(list: readonly T[]) => list.filter(({ id }) => !unknown.has(id))
  const answer = (list: readonly { readonly id: string }[]) => ({
    unknown: list.map(({ id }) => id).filter((id) => unknown.has(id)),
  })
  bus.serve(reportDevices, async (list) => {
    reports.push(...known(list).map((report) => structuredClone(report)))
    return answer(list)
  })
  bus.serve(reportStates, async (list) => {
    states.push(...known(list))
    return answer(list)
  })
  /** Until when the twin knows each device, by id. */
  const untils = new Map<string, number>()
  bus.serve(knownUntil, async ({ id }) => {
    const until = untils.get(id)
    return until === undefined ? {} : { until }
  })
  const stop = new AbortController()
  const stats = createStats()
  const ground = { bus, clock, random, log, stats }
  const running = runProtocolHost({ ...ground, mapper, folder: '/nowhere' }, stop.signal)
  return {
    bus,
    clock,
    log,
    stats,
    reports,
    states,
    /** Devices that the twin does not know. */
    unknown,
    untils,
    assign: (assigned: AssignedDevice) => bus.set(assignedDevices, deviceIdOf(assigned.device.metadata), assigned),
    unassign: (name: string) => bus.remove(assignedDevices, `default/${name}`),
    order: (name: string, properties: Record<string, readonly [value: string, id: string]>) =>
      bus.set(deviceOrders, `default/${name}`, {
        properties: Object.fromEntries(Object.entries(properties).map(([key, [value, id]]) => [key, { value, id }])),
      }),
    advance: (milliseconds: number) => clock.advance(ms(milliseconds)),
    /** Values of one property, in the order the twin heard of them. */
    values: (name: string, property: string) =>
      reports
        .filter(({ id }) => id === `default/${name}`)
        .flatMap(({ readings }) => readings)
        .filter((reading) => reading.property === property)
        .map(({ value }) => value),
    writes: () => reports.flatMap(({ writes }) => writes),
    stop: async () => {
      stop.abort(new Error('the test is over'))
      await running
    },
  }
}

export interface FakeProperty
  extends Partial<Omit<DeviceProperty, 'name'>>,
    Partial<Omit<ModelProperty, 'name' | 'visitors'>> {
  readonly address?: string
}

/** A device of protocol `fake`; its properties live at addresses of their own names unless said otherwise. */
export function fakeDevice(
  name: string,
  properties: Readonly<Record<string, FakeProperty>>,
  configData: Readonly<Record<string, string | number>> = { line: 'a' },
  generation = 1,
): AssignedDevice {
  const entries = Object.entries(properties)
  return {
    device: {
      apiVersion: 'devices.kubeedge.io/v1beta1',
      kind: 'Device',
      metadata: { name, namespace: 'default', uid: `uid-${name}`, generation },
      spec: {
        deviceModelRef: { name: 'fake' },
        nodeName: 'edge-1',
        protocol: { protocolName: 'fake', configData },
        properties: entries.map(
          ([key, { address = key, type: _t, accessMode: _a, minimum: _l, maximum: _h, ...rest }]) => ({
            visitors: { configData: { address } },
            ...rest,
            name: key,
          }),
        ),
      },
    },
    model: {
      apiVersion: 'devices.kubeedge.io/v1beta1',
      kind: 'DeviceModel',
      metadata: { name: 'fake', namespace: 'default' },
      spec: {
        properties: entries.map(([key, { type = 'INT', accessMode = 'ReadWrite', minimum, maximum }]) => ({
          name: key,
          type,
          accessMode,
          ...(minimum === undefined ? {} : { minimum }),
          ...(maximum === undefined ? {} : { maximum }),
        })),
      },
    },
  }
}
