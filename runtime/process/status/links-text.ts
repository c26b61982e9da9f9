import { durationText } from '../duration-text.ts'
import type { NodesReport, RoadReport } from './report.ts'

/** The road of an edge: to whom since when, or why not and what to do; then what waits and what was lost. */
export function roadLines(road: RoadReport, now: number): readonly string[] {
  const since = durationText(now - road.since)
  const receipt = road.lastReceipt === undefined ? 'no receipt yet' : `last receipt ${ago(now, road.lastReceipt)}`
  const link = road.connected
    ? `connected to ${road.peer === 'kubeedge' ? 'a KubeEdge cloud' : 'the cloud half'} at ${road.cloud} for ${since}; ${receipt}`
    : `not connected to ${road.cloud} for ${since}: ${said(road.detail)}`
  const { userMessages: user } = road
  const oldest = user.oldestAge === undefined ? '' : `, the oldest for ${durationText(user.oldestAge)}`
  const messages = `${amount(user.waiting, 'message')} of clients (${bytesText(user.bytes)}${oldest})`
  const waiting = [
    amount(road.twinsWaiting, 'device'),
    messages,
    amount(road.podsWaiting, 'pod'),
    amount(road.requests, 'request'),
  ]
  const { kept = 0 } = user
  const keptText = `${amount(kept, 'message')} of clients, until targets of rules have them`
  return [
    line('cloud', link),
    line('waiting', waiting.join(', ')),
    ...(kept === 0 ? [] : [line('kept', keptText)]),
    line('dropped', countsText(user.dropped)),
    ...(sum(road.refused) === 0 ? [] : [line('refused', countsText(road.refused))]),
    line('from the cloud', `${amount(road.objects.count, 'object')} on disk (${bytesText(road.objects.bytes)})`),
    ...(road.tunnel ? [line('tunnel', tunnelText(road.tunnel))] : []),
  ]
}

function tunnelText({ server = 'the cloud', connected, detail, streams }: NonNullable<RoadReport['tunnel']>): string {
  return connected ? `open to ${server}; ${amount(streams, 'stream')}` : `not open to ${server}: ${detail}`
}

/** The nodes of a cloud half, those with the most to do first. */
export function nodesLines({ connected, dropped }: NodesReport, now: number): readonly string[] {
  const sorted = [...connected].sort((a, b) => b.waiting - a.waiting || a.node.localeCompare(b.node))
  const rows = sorted.slice(0, MOST_NODES).map((each) => {
    const receipt =
      each.acknowledgedAt === undefined ? 'no receipt yet' : `last receipt ${ago(now, each.acknowledgedAt)}`
    const oldest = each.waitingSince === undefined ? '' : `, the oldest for ${durationText(now - each.waitingSince)}`
    const lost = each.dropped === 0 ? '' : `; ${each.dropped} dropped`
    const peer = each.peer === 'kubeedge' ? ' (KubeEdge)' : ''
    const since = durationText(now - each.connectedAt)
    const tunnel = each.tunnel === false ? '; no tunnel here' : ''
    return `    ${each.node}${peer}: for ${since}; ${amount(each.waiting, 'object')} waiting${oldest}; ${receipt}${lost}${tunnel}`
  })
  const more = sorted.length - rows.length
  return [
    line('nodes', connected.length === 0 ? 'none is connected' : `${connected.length} connected`),
    ...rows,
    ...(more > 0 ? [`    and ${more} more; -o json lists all`] : []),
    line('dropped', countsText(dropped)),
  ]
}

const MOST_NODES = 20

/** By what the link said last: what to do about it. */
const ADVICE: readonly (readonly [sign: RegExp, advice: string])[] = [
  [/by the clock of the cloud/, 'It tries again by itself'],
  [/not yet valid/i, 'The clock of this machine is behind: set it (timedatectl)'],
  [/try again in a moment/, 'It tries again by itself'],
  [
    /revoked|deleted|not allowed|no longer|cut off/i,
    'In the cloud: skerry node allow NAME, or join again with a new token: skerry join --force',
  ],
  [
    /certificate|handshake|TLS|self.signed|\b40[13]\b/i,
    'Is it the cloud that this node joined, and has its certificate not expired? Else join again: skerry join --force',
  ],
  [/ENOTFOUND|EAI_AGAIN/, 'The name is not known here: check cloud.server in config.yaml and the name server'],
  [/ECONNREFUSED/, 'Nothing listens there: is skerry cloud running, and cloud.server in config.yaml right?'],
  [/replaced by a newer session/, 'Another edge has the same name: give each node a name of its own'],
  [/too many nodes|\b503\b/, 'The cloud takes no more nodes: raise cloudhub.nodeLimit there'],
]
const COMMON_ADVICE = 'It tries again by itself; check the network, and cloud.server in config.yaml'

/** The cloud may have said itself what to do. */
function said(detail: string): string {
  if (/skerry (join|node|token)/.test(detail)) return detail
  return `${detail}. ${ADVICE.find(([sign]) => sign.test(detail))?.[1] ?? COMMON_ADVICE}`
}

function line(what: string, text: string): string {
  return `  ${what.padEnd(20)} ${text}`
}

function ago(now: number, then: number): string {
  return `${durationText(now - then)} ago`
}

function amount(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

function countsText(counts: Readonly<Record<string, number>>): string {
  const some = Object.entries(counts).filter(([, count]) => count > 0)
  return some.length === 0 ? 'nothing' : some.map(([cause, count]) => `${count} (${cause})`).join(', ')
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0)
}

function bytesText(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  const [size, unit] = bytes < 1024 ** 2 ? [bytes / 1024, 'KiB'] : [bytes / 1024 ** 2, 'MiB']
  return `${size.toFixed(1)} ${unit}`
}
