import { type Condition, type Device, type DeviceModel, timesToLive } from '../../../../schemas/index.ts'
import { EXTRA, type TwinView } from '../views/twin-view.ts'

export interface FreshnessInput {
  readonly device: Device
  readonly model: DeviceModel | undefined
  readonly away: boolean
  readonly view: TwinView
}

type Verdict = Pick<Condition, 'status' | 'reason' | 'message'>

/** `Fresh`: whether every value with a time to live has been read within it. Only the edge can know, so nobody does while it is away. */
export function freshness({ device, model, away, view }: FreshnessInput): Verdict {
  const { nodeName } = device.spec
  const timeToLiveOf = timesToLive(device, model)
  const watched = (device.spec.properties ?? []).filter(({ name }) => timeToLiveOf(name) !== undefined)
  if (watched.length === 0) return { status: 'True', reason: 'NoTimeToLive', message: 'no property has a time to live' }
  if (!nodeName) return { status: 'Unknown', reason: 'NodeNotSet', message: 'no node serves this device' }
  if (away) return { status: 'Unknown', reason: 'NodeUnreachable', message: `node ${nodeName} is not connected` }
  const stale: string[] = []
  const unread: string[] = []
  const unwatched: string[] = []
  for (const { name } of watched) {
    const known = view.get(name)
    const metadata = known?.reported?.metadata
    if (!metadata) unread.push(known?.unread === undefined ? name : `${name} (${known.unread})`)
    else if (metadata[EXTRA.stale] === 'true') stale.push(`${name}${sinceOf(metadata[EXTRA.staleSince])}`)
    else if (metadata[EXTRA.timeToLive] === undefined) unwatched.push(name)
  }
  if (stale.length > 0) return { status: 'False', reason: 'Stale', message: stale.join(', ') }
  if (unread.length > 0) return unknown('NotReported', `never read: ${unread.join(', ')}`)
  if (unwatched.length > 0)
    return unknown('NotWatched', `the edge does not watch the age of ${unwatched.join(', ')} yet`)
  return { status: 'True', reason: 'Fresh', message: 'every value was read within its time to live' }
}

function sinceOf(unixMs: string | undefined): string {
  const time = new Date(Number(unixMs))
  return Number.isNaN(time.getTime()) ? '' : ` since ${time.toISOString().replace(/\.\d+Z$/, 'Z')}`
}

function unknown(reason: string, message: string): Verdict {
  return { status: 'Unknown', reason, message }
}
