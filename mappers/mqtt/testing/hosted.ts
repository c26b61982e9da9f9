import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { createLocalBus } from '../../../platform/bus/index.ts'
import { memoryLogger } from '../../../platform/log/testing/index.ts'
import { systemClock, systemRandom } from '../../../platform/time/index.ts'
import {
  type AssignedDevice,
  assignedDevices,
  type DeviceReport,
  type DeviceStateReport,
  deviceIdOf,
  deviceOrders,
  type JsonObject,
  type PropertyReading,
  reportDevices,
  reportStates,
  type WriteResult,
} from '../../../schemas/index.ts'
import type { LocalBroker } from '../../contract/index.ts'
import { runProtocolHost } from '../../host/protocol-host.ts'
import mqtt from '../index.ts'

/** The mapper in a real host, on real time, with a bus whose twin writes down what it is told. */
export function hostMqtt(t: TestContext, broker?: LocalBroker) {
  const log = memoryLogger()
  const bus = createLocalBus(systemClock, log)
  const reports: DeviceReport[] = []
  const states: DeviceStateReport[] = []
  const waiting = new Set<() => void>()
  const told = () => {
    for (const check of [...waiting]) check()
  }
  bus.serve(reportDevices, async (list) => {
    reports.push(...list)
    told()
    return { unknown: [] }
  })
  bus.serve(reportStates, async (list) => {
    states.push(...list)
    told()
    return { unknown: [] }
  })
  const stop = new AbortController()
  const ground = { bus, clock: systemClock, random: systemRandom, log, folder: '/nowhere', broker }
  const running = runProtocolHost({ ...ground, mapper: mqtt }, stop.signal)
  const end = async () => {
    stop.abort(new Error('the test is over'))
    await running
  }
  t.after(end)
  const readings = (device: string, property: string): readonly PropertyReading[] =>
    reports
      .filter(({ id }) => id === `default/${device}`)
      .flatMap((report) => report.readings)
      .filter((reading) => reading.property === property)
  /** What was found as soon as it is there; a failure with all that was told after ten seconds. */
  const until = <T>(what: string, find: () => T | undefined | false): Promise<T> =>
    new Promise((resolve, reject) => {
      const give = (settle: () => void) => {
        waiting.delete(check)
        deadline.removeEventListener('abort', late)
        settle()
      }
      const check = () => {
        const found = find()
        if (found !== undefined && found !== false) give(() => resolve(found))
      }
      const late = () => {
        const last = JSON.stringify({ states: states.slice(-5), reports: reports.slice(-5) })
        give(() => reject(new Error(`nobody told: ${what}; ${last} ${log.messages('warn').join(', ')}`)))
      }
      const deadline = AbortSignal.timeout(10_000)
      deadline.addEventListener('abort', late, { once: true })
      waiting.add(check)
      check()
    })
  return {
    bus,
    log,
    reports,
    states,
    readings,
    until,
    assign: (device: AssignedDevice) => bus.set(assignedDevices, deviceIdOf(device.device.metadata), device),
    stop: end,
    unassign: (name: string) => bus.remove(assignedDevices, `default/${name}`),
    order: (name: string, property: string, value: string, id = 'o-1') =>
      bus.set(deviceOrders, `default/${name}`, { properties: { [property]: { value, id } } }),
    value: (device: string, property: string, value: string) =>
      until(`${property} of ${device} is ${value}`, () =>
        readings(device, property).find((reading) => reading.value === value),
      ),
    state: (device: string, state: string, from = 0) =>
      until(`${device} is ${state}`, () =>
        states.slice(from).find((each) => each.id === `default/${device}` && each.state === state),
      ),
    written: (property: string): Promise<WriteResult> =>
      until(`${property} was written`, () =>
        reports.flatMap(({ writes }) => writes).find((write) => write.property === property),
      ),
  }
}

/** A device with these visitors, all of one type. */
export function mqttDevice(
  name: string,
  configData: JsonObject,
  visitors: Readonly<Record<string, JsonObject>>,
  type: 'STRING' | 'INT' | 'FLOAT' | 'BOOLEAN' = 'STRING',
): AssignedDevice {
  const apiVersion = 'devices.kubeedge.io/v1beta1'
  const names = Object.keys(visitors)
  assert.ok(names.length > 0)
  return {
    device: {
      ...{ apiVersion, kind: 'Device' },
      metadata: { name, namespace: 'default', uid: `uid-${name}`, generation: 1 },
      spec: {
        protocol: { protocolName: 'mqtt', configData },
        properties: names.map((each) => ({ name: each, visitors: { configData: visitors[each] ?? {} } })),
      },
    },
    model: {
      ...{ apiVersion, kind: 'DeviceModel', metadata: { name: 'model', namespace: 'default' } },
      spec: { properties: names.map((each) => ({ name: each, type, accessMode: 'ReadWrite' })) },
    },
  }
}
