import type { Device, DeviceModel } from '../../schemas/index.ts'
import { API } from '../edge-folder.ts'

export const MODEL = 'bench'
const STATE_CYCLE_MS = 10_000

export interface Register {
  readonly name: string
  readonly cycleMs: number
}

export interface DeviceAt {
  readonly namespace: string
  readonly name: string
  readonly node: string
  readonly port: number
  readonly unitId: number
  /** In the order of their offsets. */
  readonly registers: readonly Register[]
}

export function modelOf(namespace: string, names: readonly string[]): DeviceModel {
  return {
    ...{ apiVersion: API, kind: 'DeviceModel', metadata: { namespace, name: MODEL } },
    spec: {
      protocol: 'modbus',
      properties: names.map((name) => ({ name, type: 'INT' as const, accessMode: 'ReadWrite' as const })),
    },
  }
}

export function deviceAt({ namespace, name, node, port, unitId, registers }: DeviceAt): Device {
  return {
    ...{ apiVersion: API, kind: 'Device', metadata: { namespace, name } },
    spec: {
      deviceModelRef: { name: MODEL },
      nodeName: node,
      protocol: { protocolName: 'modbus', configData: { host: '127.0.0.1', port, unitId } },
      stateReport: { reportToCloud: true, reportCycle: STATE_CYCLE_MS },
      properties: registers.map((register, offset) => ({
        ...{ name: register.name, collectCycle: register.cycleMs, reportToCloud: true },
        visitors: { protocolName: 'modbus', configData: { register: 'HoldingRegister', offset, limit: 1 } },
      })),
    },
  }
}

/** The patch of a desired value that people make, of the property at this place. */
export function desiredPatch(at: number, value: number): readonly object[] {
  return [{ op: 'add', path: `/spec/properties/${at}/desired`, value: { value: String(value) } }]
}
