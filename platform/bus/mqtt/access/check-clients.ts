import type { MqttClientConfig } from '../../../../schemas/config/index.ts'
import { DEVICE_TOPICS } from '../../../../schemas/index.ts'
import { ConfigError } from '../../../lifecycle/errors.ts'
import { isUnderView } from './topics.ts'

/** Throws ConfigError where a filter of `mqtt.clients` cannot be meant. */
export function checkClients(clients: readonly MqttClientConfig[]): void {
  for (const [index, client] of clients.entries()) {
    for (const key of ['publish', 'subscribe'] as const) {
      for (const filter of client[key]) {
        const reason = refuseFilter(filter)
        if (reason === undefined) continue
        throw new ConfigError(`mqtt.clients: ${key} of ${client.name}: "${filter}" ${reason}`, {
          code: 'PLATFORM_MQTT_FILTER_INVALID',
          fields: { pointer: `/mqtt/clients/${index}/${key}` },
        })
      }
    }
  }
}

function refuseFilter(filter: string): string | undefined {
  const levels = filter.split('/')
  const isFilter = levels.every((level, index) => {
    if (level === '#') return index === levels.length - 1
    return level === '+' || !/[+#]/.test(level)
  })
  if (!isFilter) return 'is not a topic filter: + stands for one level, # for all from there on'
  const isOfDevices = filter.startsWith(DEVICE_TOPICS) || isUnderView(filter)
  return isOfDevices ? 'is a topic of devices: name them in twins' : undefined
}
