import { readFile } from 'node:fs/promises'
import type { TestContext } from 'node:test'
import { parse } from 'yaml'
import { type Clock, type Random, systemRandom } from '../../../platform/time/index.ts'
import { createSimulatedDevice } from '../create-device.ts'
import { onTheWire } from '../on-the-wire.ts'
import { simulatorOf } from '../registry.ts'
import type { SimulatedDevice } from '../simulated-device.ts'
import type { Simulator } from '../simulator.ts'

export interface SimulatedSample {
  readonly simulator: Simulator
  readonly device: SimulatedDevice
  /** 0 where the protocol has none. */
  readonly port: number
}

/** The device of a folder of samples/, simulated on a free port of its real protocol until the test ends. */
export async function simulateSample(
  t: TestContext,
  name: string,
  clock: Clock,
  random: Random = systemRandom,
): Promise<SimulatedSample> {
  const read = async (file: string) =>
    parse(await readFile(new URL(`../../../samples/${name}/${file}.yaml`, import.meta.url), 'utf8'))
  const [model, manifest] = [await read('model'), await read('device')]
  const device = createSimulatedDevice({ model, device: manifest, clock, random })
  const entry = simulatorOf(manifest.spec.protocol.protocolName)
  if (!entry) throw new Error(`nothing simulates ${manifest.spec.protocol.protocolName}`)
  const create = await entry.load()
  const simulator = create({ host: '127.0.0.1', port: 0, clock, random, device: onTheWire(device) })
  await simulator.start()
  t.after(() => simulator.close())
  return { simulator, device, port: Number(new URL(simulator.url).port) }
}
