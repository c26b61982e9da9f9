import { randomBytes } from 'node:crypto'
import type { MapperContext } from '../contract/index.ts'
import { addressOf } from './address.ts'
import { type Client, openClient } from './client.ts'
import type { DeviceConfig } from './config.ts'
import { MqttConnection } from './connection.ts'
import { Subscriptions } from './subscriptions.ts'

/** What a device needs once it is really there; loaded by the first `connect`. */
export async function open(device: DeviceConfig, context: MapperContext): Promise<MqttConnection> {
  const { clock, log, broker } = context
  const subscriptions = new Subscriptions({ now: () => clock.now(), log, keepsEarly: !device.cleanSession })
  const address = addressOf(device, broker)
  const client: Client = await openClient(address, device, (heard) => subscriptions.hear(heard), context)
  subscriptions.attach(client)
  const mark = randomBytes(6).toString('hex')
  let count = 0
  return new MqttConnection({
    ...{ client, subscriptions, clock, log },
    watched: new Map(),
    nextId: () => `${mark}-${++count}`,
  })
}
