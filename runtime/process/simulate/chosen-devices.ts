import { join } from 'node:path'
import {
  createSimulatedDevice,
  onTheWire,
  type SimulatedDevice,
  type SimulatorEntry,
  simulatorOf,
} from '../../../mappers/simulators/index.ts'
import { ConfigError } from '../../../platform/lifecycle/index.ts'
import { systemClock, systemRandom } from '../../../platform/time/index.ts'
import { type Device, type DeviceModel, protocolOf } from '../../../schemas/index.ts'
import { readManifests } from '../read-manifests.ts'

export interface ChosenFiles {
  readonly model?: string | undefined
  readonly device?: readonly string[] | undefined
}

/** The devices that files describe, or those of the protocol's sample where there are no files. At least one. */
export async function chosenDevices(
  entry: SimulatorEntry,
  files: ChosenFiles,
  samplesFolder: string,
): Promise<readonly [SimulatedDevice, ...SimulatedDevice[]]> {
  const given = [files.model, ...(files.device ?? [])].filter((file) => file !== undefined)
  const sample = join(samplesFolder, entry.sample)
  const { models, devices } = await readManifests(
    given.length > 0 ? given : [join(sample, 'model.yaml'), join(sample, 'device.yaml')],
  )
  const make = (model: DeviceModel, device: Device | undefined) => {
    assertProtocol(entry, device, model)
    return onTheWire(createSimulatedDevice({ model, device, clock: systemClock, random: systemRandom }))
  }
  const [first, ...more] = devices.map((device) => make(modelOf(device, models), device))
  if (first) return [first, ...more]
  const [model] = models
  if (model) return [make(model, undefined)]
  throw new ConfigError(`${given.join(', ')} holds no DeviceModel and no Device`, { code: 'PROCESS_MANIFEST_EMPTY' })
}

/** A device without a model describes its properties itself. */
function modelOf(device: Device, models: readonly DeviceModel[]): DeviceModel {
  const name = device.spec.deviceModelRef?.name
  if (name === undefined) {
    return { apiVersion: device.apiVersion, kind: 'DeviceModel', metadata: { name: device.metadata.name }, spec: {} }
  }
  const found = models.find((model) => model.metadata.name === name)
  if (found) return found
  throw new ConfigError(`the DeviceModel ${name} of ${device.metadata.name} is missing: add its file with --model`, {
    code: 'PROCESS_MODEL_MISSING',
    fields: { device: device.metadata.name, pointer: '/spec/deviceModelRef/name' },
  })
}

function assertProtocol(entry: SimulatorEntry, device: Device | undefined, model: DeviceModel): void {
  const protocol = device ? protocolOf(device, model) : model.spec.protocol
  if (protocol === undefined || simulatorOf(protocol)?.protocol === entry.protocol) return
  const name = (device ?? model).metadata.name
  throw new ConfigError(`${name} speaks ${protocol}, not ${entry.protocol}: skerry simulate ${protocol} simulates it`, {
    code: 'PROCESS_SIMULATOR_OTHER_PROTOCOL',
    fields: { device: name, pointer: device ? '/spec/protocol/protocolName' : '/spec/protocol' },
  })
}
