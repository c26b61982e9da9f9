import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { createLocalBus } from '../../../platform/bus/index.ts'
import { createMetrics } from '../../../platform/health/index.ts'
import { createScope } from '../../../platform/lifecycle/index.ts'
import { memoryLogger } from '../../../platform/log/testing/index.ts'
import { seconds, systemClock, systemRandom } from '../../../platform/time/index.ts'
import {
  type AssignedDevice,
  type DeviceReport,
  type DeviceStateReport,
  reportDevices,
  reportStates,
} from '../../../schemas/index.ts'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import { createMapperHostModule, type MapperHostOptions } from '../running/module.ts'
import { builtInMappers } from '../running/source.ts'

/** The real host module with a twin that writes down what it hears; `until` waits for the next thing that fits. */
export async function runHost(
  t: TestContext,
  isolation: MapperHostOptions['isolation'],
  options: Partial<MapperHostOptions> = {},
) {
  const metrics = createMetrics()
  const log = memoryLogger()
  const clock = systemClock
  const bus = createLocalBus(clock, log)
  const heard: (DeviceReport | DeviceStateReport)[] = []
  let tell: () => void = () => undefined
  const hear = async (list: readonly (DeviceReport | DeviceStateReport)[]) => {
    heard.push(...list)
    tell()
    return { unknown: [] }
  }
  bus.serve(reportDevices, hear)
  bus.serve(reportStates, hear)
  const folder = temporaryFolder('skerry-mappers-')
  const scope = createScope('MapperHost', { clock, log, deadline: seconds(10), onCrash: assert.ifError })
  t.after(() => scope[Symbol.asyncDispose]())
  const module = createMapperHostModule({
    bus,
    builtIns: builtInMappers,
    clock,
    random: systemRandom,
    log,
    metrics,
    isolation,
    folder,
    ...options,
  })
  await module.start(scope)
  let at = 0
  const until = async <T>(
    what: string,
    find: (item: DeviceReport | DeviceStateReport) => T | undefined,
  ): Promise<T> => {
    const signal = AbortSignal.timeout(60_000)
    for (;;) {
      for (; at < heard.length; at++) {
        const item = heard[at]
        const found = item && find(item)
        if (found !== undefined) {
          at++
          return found
        }
      }
      await new Promise<void>((resolve, reject) => {
        tell = resolve
        signal.addEventListener(
          'abort',
          () => reject(new Error(`nobody told: ${what}; heard ${JSON.stringify(heard)}`)),
          {
            once: true,
          },
        )
      })
    }
  }
  const untilState = (state: string, id?: string) =>
    until(`state ${state}`, (item) =>
      'state' in item && item.state === state && (id === undefined || item.id === id) ? item : undefined,
    )
  const untilValue = (property: string, matches: (value: string) => boolean) =>
    until(`a value of ${property}`, (item) =>
      'readings' in item
        ? item.readings.find((each) => each.property === property && each.value !== undefined && matches(each.value))
        : undefined,
    )
  return { bus, log, metrics, heard, folder, until, untilState, untilValue }
}

/** A device of which one property is read as fast as it goes. */
export function plainDevice(name: string, protocolName: string): AssignedDevice {
  const property = { name: 'value', collectCycle: 50, visitors: { configData: {} } }
  return {
    device: {
      apiVersion: 'devices.kubeedge.io/v1beta1',
      kind: 'Device',
      metadata: { name, namespace: 'default', uid: `uid-${name}`, generation: 1 },
      spec: {
        ...{ deviceModelRef: { name: 'plain' }, nodeName: 'edge-1' },
        ...{ protocol: { protocolName, configData: {} }, properties: [property] },
      },
    },
    model: {
      apiVersion: 'devices.kubeedge.io/v1beta1',
      kind: 'DeviceModel',
      metadata: { name: 'plain', namespace: 'default' },
      spec: { properties: [{ name: 'value', type: 'INT', accessMode: 'ReadOnly' }] },
    },
  }
}
