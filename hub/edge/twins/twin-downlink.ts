import type { Bus } from '../../../platform/bus/index.ts'
import { type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { seconds } from '../../../platform/time/index.ts'
import {
  type DecodedCloudUpdate,
  type DeviceId,
  decodeCloudAttributes,
  decodeCloudTwin,
  type Frame,
  parseTwinResource,
  updateFromCloud,
} from '../../../schemas/index.ts'
import { contentOf } from '../../link/index.ts'

export interface TwinDownlinkPorts {
  readonly bus: Bus
  readonly log: Logger
  readonly metrics?: Metrics
}

const DEADLINE = seconds(20)

/**
 * Frames of group `twin`: what the cloud says of single devices goes to DeviceTwin. They have no receipt on the wire. Where the
 * edge did not follow, `resend` names the device, whose state goes up again. Membership is passed over: it follows from the
 * devices themselves.
 */
export class TwinDownlink {
  readonly #ports: TwinDownlinkPorts
  readonly #resend: (id: DeviceId) => void
  readonly #ignored: (cause: string) => void

  constructor(ports: TwinDownlinkPorts, resend: (id: DeviceId) => void) {
    this.#ports = ports
    this.#resend = resend
    const ignored = (ports.metrics ?? silentMetrics).counter({
      name: 'skerry_edgehub_ignored_total',
      help: 'Messages of the cloud that nothing here serves, by cause.',
      labels: ['cause'],
    })
    this.#ignored = (cause) => ignored.add(1, { cause })
  }

  /** Settles when DeviceTwin is done with it; never rejects. */
  async take(frame: Frame, signal: AbortSignal): Promise<void> {
    const { bus, log } = this.#ports
    const { resource } = frame.route
    const target = parseTwinResource(resource)
    if (!target) {
      if (resource !== 'membership') this.#ignored('twin-resource')
      log.debug('A notice for the twins', { resource })
      return
    }
    const decoded = decode(target, frame)
    if (!decoded.ok) {
      this.#ignored('twin-content')
      log.warn('What the cloud said of a device was not understood', { device: target.id, reason: decoded.reason })
      return
    }
    try {
      const { outcome } = await bus.request(updateFromCloud, decoded.update, { deadline: DEADLINE, signal })
      if (outcome === 'stale' || outcome === 'refused') this.#resend(target.id)
    } catch (error) {
      this.#ignored('twin-failed')
      log.warn('What the cloud said of a device was not taken', { device: target.id, error })
    }
  }
}

function decode({ id, action }: { readonly id: DeviceId; readonly action: string }, frame: Frame): DecodedCloudUpdate {
  const content = contentOf(frame)
  return action === 'updated' ? decodeCloudAttributes(id, content) : decodeCloudTwin(id, content)
}
