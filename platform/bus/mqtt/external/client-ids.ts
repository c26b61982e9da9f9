import { ConfigError } from '../../../lifecycle/errors.ts'
import type { Random } from '../../../time/index.ts'
import type { ExternalBrokerOptions } from './options.ts'

/** Ids of both connections, KubeEdge's where none are set. A broker would end one of two connections with the same id. */
export function clientIdsOf(
  { subscribeClientId, publishClientId }: Pick<ExternalBrokerOptions, 'subscribeClientId' | 'publishClientId'>,
  random: Random,
): { readonly subscribe: string; readonly publish: string } {
  if (subscribeClientId !== '' && subscribeClientId === publishClientId) {
    throw new ConfigError('The settings of the external MQTT broker contradict each other', {
      code: 'PLATFORM_MQTT_SETTINGS',
      fields: { pointer: '/mqtt/external/publishClientId', reason: 'both connections have the same client id' },
    })
  }
  return {
    subscribe: subscribeClientId || `hub-client-sub-${digits(random)}`,
    publish: publishClientId || `hub-client-pub-${digits(random)}`,
  }
}

function digits(random: Random): string {
  return [...random.bytes(10)].map((byte) => byte % 10).join('')
}
