import type { Counter, Metrics } from '../../../../platform/health/index.ts'
import type { Logger } from '../../../../platform/log/index.ts'
import { DEVICE_API_VERSION, type Device, deviceIdOf, splitDeviceId } from '../../../../schemas/index.ts'
import type { CloudHub, NodePeer, Upstream } from '../../cloudhub/delivery.ts'
import { isLabel, isSubdomain } from '../../kubernetes/index.ts'
import type { DeviceIndex } from '../device-index.ts'
import type { DeviceViews } from '../views/device-views.ts'
import { parseReport } from './reports.ts'

export interface ReportIntakePorts {
  readonly hub: CloudHub
  readonly index: DeviceIndex
  readonly views: DeviceViews
  readonly log: Logger
  readonly metrics: Metrics
  /** The view of this device has changed. */
  readonly onReport: (id: string) => void
}

/** Reports of edges, into the views of their devices. */
export class ReportIntake {
  readonly #ports: ReportIntakePorts
  readonly #ignored: Counter

  constructor(ports: ReportIntakePorts) {
    this.#ports = ports
    this.#ignored = ports.metrics.counter({
      name: 'skerry_devicecontroller_ignored_total',
      help: 'Reports of edges that were not taken, by cause.',
      labels: ['cause'],
    })
  }

  receive(upstream: Upstream): void {
    const cause = this.#take(upstream)
    if (cause) this.#ignored.add(1, { cause })
  }

  /** Why a frame was not taken, or nothing. */
  #take({ peer, frame, reply }: Upstream): string | undefined {
    const { views, onReport } = this.#ports
    // `membership/detail` of old edges and the like: tolerated, not answered.
    const report = parseReport(frame.route.resource, frame.content)
    if (!report) return 'not-a-report'
    const id = deviceIdOf(report)
    const device = this.deviceOf(peer, id, report.sync.skerry?.uid)
    if (typeof device === 'string') return device
    const outcome = views.of(device).take(report, peer, { frame, reply })
    if (outcome === 'other-incarnation') this.evict(peer, id, report.sync.skerry?.uid)
    if (outcome !== 'taken') return outcome
    onReport(id)
    return undefined
  }

  /** The device where it is this node's to speak of, or why it is not: then it is taken away there. */
  deviceOf(peer: NodePeer, id: string, uid: string | undefined): Device | string {
    const { index, log } = this.#ports
    const device = index.devices.get(splitDeviceId(id))
    if (device && device.spec.nodeName === peer.node) return device
    if (device) log.warn('A node spoke of a device of another node', { node: peer.node, device: id })
    this.evict(peer, id, uid)
    return device ? 'foreign-device' : 'unknown-device'
  }

  /** What an edge still has although it should not, because it went back to a backup, say, is deleted there. */
  evict({ node }: NodePeer, id: string, uid: string | undefined): void {
    const { namespace, name } = splitDeviceId(id)
    if (!this.#ports.index.devices.isSynced || uid === undefined) return
    if (![namespace, uid].every(isLabel) || !isSubdomain(name)) return
    const metadata = { namespace, name, uid }
    this.#ports.hub.evict(node, { apiVersion: DEVICE_API_VERSION, kind: 'Device', metadata })
  }
}
