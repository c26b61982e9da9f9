import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { SkerryError } from '../../../lifecycle/errors.ts'
import type { Logger } from '../../../log/logger.ts'

/** One more plain listener, for pods, where nobody comes in without credentials. */
export interface PodListenerOptions {
  /** An address of this machine. What comes by it through a wider listener is for pods too. */
  readonly host: string
  /** Tried before that of the plain listener; then any. */
  readonly ports: readonly number[]
}

/** Where pods are listened for; undefined where that cannot be, which is logged and keeps nobody else from the broker. */
export async function openPodListener(
  { host, ports }: PodListenerOptions,
  plain: { readonly host: string; readonly port: number },
  open: (at: { readonly host: string; readonly port: number }) => Promise<number>,
  log: Logger,
): Promise<number | undefined> {
  // A wider listener has the port of each address.
  if (['0.0.0.0', '::', host].includes(plain.host)) return plain.port
  for (const port of new Set([...ports, plain.port, 0])) {
    try {
      return await open({ host, port })
    } catch (error) {
      if (error instanceof SkerryError && error.code === 'PLATFORM_PORT_TAKEN') continue
      log.warn('The MQTT broker cannot listen for pods', { host, port, error })
      return undefined
    }
  }
  return undefined
}

/** Whether a connection came by the address for pods. */
export function isForPods(connection: Duplex, forPods: PodListenerOptions | undefined): boolean {
  if (!forPods || !(connection instanceof Socket)) return false
  return connection.localAddress?.replace(/^::ffff:/i, '') === forPods.host
}
