import type { Anonymous } from '../../../../schemas/config/index.ts'
import { isLoopbackHost } from '../../../http/loopback.ts'

export interface Exposure {
  readonly host: string
  readonly tls?: { readonly host: string; readonly clientCa?: string } | undefined
  readonly websocket?: { readonly host: string; readonly tls: boolean } | undefined
  readonly anonymousRemote: Anonymous
  readonly hasUsers: boolean
}

/** What the operator should know of listeners that other machines reach; nothing is refused for it. */
export function exposureWarnings({ host, tls, websocket, anonymousRemote, hasUsers }: Exposure): readonly string[] {
  const isOpen = (at: { readonly host: string } | undefined) => at !== undefined && !isLoopbackHost(at.host)
  const isPlain = isOpen({ host }) || (isOpen(websocket) && websocket?.tls === false)
  if (!isPlain && !isOpen(tls) && !isOpen(websocket)) return []
  const warnings: string[] = []
  if (isPlain) {
    warnings.push('Passwords and values of MQTT clients cross the network unencrypted: open mqtt.tls to it instead')
  }
  if (anonymousRemote !== 'none') {
    warnings.push('MQTT clients of other machines need no credentials: mqtt.anonymousRemote is not none')
  } else if (!hasUsers && tls?.clientCa === undefined) {
    warnings.push('No MQTT client of another machine can come in: make users with skerry mqtt password NAME')
  }
  return warnings
}
