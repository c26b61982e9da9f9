import { FaultyAnswers } from '../faults/faulty-answers.ts'
import type { Simulator, SimulatorOptions } from '../simulator.ts'
import { MqttDevice } from './mqtt-device.ts'
import type { OwnBroker } from './own-broker.ts'

/**
 * Devices that are clients of the broker at host and port. Port 0: a broker of their own, on a free port.
 */
export function createMqttSimulator(options: SimulatorOptions): Simulator {
  const { host, port, clock, random, device, neighbours = [], isNodeBroker = false } = options
  const answers = new FaultyAnswers(clock, random)
  const all = [device, ...neighbours]
  let own: OwnBroker | undefined
  let devices: readonly MqttDevice[] = []
  let requests = 0
  const urlOf = () => `mqtt://${host.includes(':') ? `[${host}]` : host}:${own?.port ?? port}`
  const started = () => {
    if (devices.length === 0) throw new Error('the simulator is not running')
    return urlOf()
  }
  const startAll = async () => {
    for (const each of devices) await each.start()
  }
  const simulator: Simulator = {
    name: device.name,
    get url() {
      return started()
    },
    get configData() {
      const url = started()
      return { broker: isNodeBroker ? 'local' : url }
    },
    get connections() {
      return devices.filter(({ isConnected }) => isConnected).length
    },
    get requests() {
      return requests
    },
    async start() {
      if (devices.length > 0) return
      if (port === 0) own = await (await import('./own-broker.ts')).startOwnBroker(host, clock)
      const onRequest = () => void requests++
      devices = all.map((each) => new MqttDevice({ url: urlOf(), device: each, clock, answers, onRequest }))
      await startAll().catch(async (error: unknown) => {
        await simulator.close()
        throw error
      })
    },
    async close() {
      const closing = devices
      devices = []
      for (const each of closing) await each.close()
      await own?.close()
      own = undefined
    },
    async fault(fault) {
      answers.current = fault
      if (fault?.kind === 'disconnect') for (const each of devices) each.vanish()
      else await startAll()
    },
  }
  return simulator
}
