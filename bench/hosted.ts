import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AnyMapper } from '../mappers/host/admission/admission.ts'
import { runProtocolHost } from '../mappers/host/protocol-host.ts'
import { createLocalBus } from '../platform/bus/index.ts'
import { silentLogger as log } from '../platform/log/index.ts'
import { systemClock as clock, systemRandom as random } from '../platform/time/index.ts'
import {
  type AssignedDevice,
  assignedDevices,
  deviceIdOf,
  type JsonObject,
  reportDevices,
  reportStates,
} from '../schemas/index.ts'
import { API, NODE } from './edge-folder.ts'

export interface Hosted extends AsyncDisposable {
  /** What the driver has reported by itself so far. */
  readonly pushed: number
  /** Readings that reached the twin: of several of one property that came at once, the last. */
  readonly taken: number
}

/** A mapper in its host, in this process, with a twin that only counts. */
export async function hosted(mapper: AnyMapper, devices: readonly AssignedDevice[]): Promise<Hosted> {
  const counts = { pushed: 0, taken: 0 }
  const bus = createLocalBus(clock, log)
  bus.serve(reportDevices, async (reports) => {
    for (const { readings } of reports) counts.taken += readings.length
    return { unknown: [] }
  })
  bus.serve(reportStates, async () => ({ unknown: [] }))
  for (const each of devices) bus.set(assignedDevices, deviceIdOf(each.device.metadata), each)
  const counting: AnyMapper = {
    ...mapper,
    async watch(connection, visits, report, signal) {
      const counted: typeof report = Object.assign(
        (...[id, outcome]: Parameters<typeof report>) => {
          counts.pushed++
          report(id, outcome)
        },
        report.presence ? { presence: report.presence } : {},
      )
      await mapper.watch?.(connection, visits, counted, signal)
    },
  }
  const folder = await mkdtemp(join(tmpdir(), 'skerry-bench-'))
  const stop = new AbortController()
  const running = runProtocolHost({ bus, mapper: counting, clock, random, log, folder }, stop.signal)
  return {
    get pushed() {
      return counts.pushed
    },
    get taken() {
      return counts.taken
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort(new Error('measured'))
      await running
      await rm(folder, { recursive: true })
    },
  }
}

/** A device with these visitors, all of one type. */
export function assigned(
  name: string,
  protocolName: string,
  configData: JsonObject,
  visitors: Readonly<Record<string, JsonObject>>,
): AssignedDevice {
  const names = Object.keys(visitors)
  return {
    device: {
      ...{ apiVersion: API, kind: 'Device', metadata: { name, namespace: 'default', uid: name, generation: 1 } },
      spec: {
        ...{ nodeName: NODE, protocol: { protocolName, configData } },
        properties: names.map((each) => ({ name: each, visitors: { configData: visitors[each] ?? {} } })),
      },
    },
    model: {
      ...{ apiVersion: API, kind: 'DeviceModel', metadata: { name: 'bench', namespace: 'default' } },
      spec: { properties: names.map((each) => ({ name: each, type: 'INT', accessMode: 'ReadOnly' })) },
    },
  }
}
