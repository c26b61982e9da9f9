import { type Static, Type } from 'typebox'
import { Value } from 'typebox/value'
import { UnavailableError } from '../../../platform/lifecycle/index.ts'

const time = (description: string) => Type.Number({ description: `${description} Unix ms.` })
const count = (description: string) => Type.Number({ description })
const counts = (description: string) => Type.Record(Type.String(), Type.Number(), { description })
const Peer = Type.Union([Type.Literal('skerry'), Type.Literal('kubeedge')], { description: 'Whose program it is.' })

const ModuleReport = Type.Object({
  name: Type.String({ description: 'Of the part of the process.' }),
  state: Type.String({ description: 'starting, ready, restarting, stopping, stopped or failed.' }),
  sinceMs: time('When this state began.'),
  pending: Type.Optional(Type.String({ description: 'What it waits for.' })),
  detail: Type.Optional(Type.String({ description: 'Why it is in this state.' })),
})

const TunnelReport = Type.Object(
  {
    server: Type.Optional(Type.String({ description: 'HOST:PORT of the tunnel server; absent: not known, or none.' })),
    connected: Type.Boolean({ description: 'Whether it is open.' }),
    detail: Type.String({ description: 'While it is not open: why.' }),
    streams: count('Streams of the cloud that are open.'),
  },
  { description: 'The tunnel through which the cloud reaches what is served on the node.' },
)

/** The road of an edge to its cloud. */
export const RoadReport = Type.Object(
  {
    cloud: Type.String({ description: 'HOST:PORT of the cloud half.' }),
    connected: Type.Boolean({ description: 'Whether the cloud half is connected.' }),
    since: time('When the link last came or went.'),
    detail: Type.String({ description: 'While it is not connected: why.' }),
    peer: Type.Optional(Peer),
    lastReceipt: Type.Optional(time('When the cloud last answered or confirmed anything.')),
    requests: count('Requests that wait for their answer.'),
    twinsWaiting: count('Devices with changes that the cloud has not confirmed.'),
    podsWaiting: count('Pods with a status that the cloud has not confirmed.'),
    userMessages: Type.Object(
      {
        waiting: count('Messages of MQTT clients that the cloud has not got yet.'),
        bytes: count('Their size.'),
        kept: Type.Optional(
          count('Messages that wait in the cloud for the targets of rules, and are kept here until those have them.'),
        ),
        oldestAge: Type.Optional(count('How long the oldest has waited, ms.')),
        dropped: counts('Messages that a bound dropped since the database was made, by reason.'),
      },
      { description: 'Messages of MQTT clients to the cloud.' },
    ),
    objects: Type.Object(
      { count: count('How many.'), bytes: count('Their size.') },
      { description: 'Objects of the cloud on disk.' },
    ),
    refused: counts('Messages of the cloud that could not be taken since the start, by cause.'),
    tunnel: Type.Optional(TunnelReport),
  },
  { description: 'Of an edge: its road to the cloud.' },
)
export type RoadReport = Static<typeof RoadReport>

const NodeReport = Type.Object({
  node: Type.String({ description: 'Name of the node.' }),
  peer: Peer,
  connectedAt: time('When it connected.'),
  waiting: count('Objects that it has not acknowledged.'),
  waitingSince: Type.Optional(time('Since when the oldest of them waits.')),
  acknowledgedAt: Type.Optional(time('Its last receipt of an object on this link.')),
  dropped: count('Frames to it that were dropped on this link.'),
  tunnel: Type.Optional(Type.Boolean({ description: 'Whether its tunnel is open, for logs and exec.' })),
})

/** The nodes of a cloud half. */
export const NodesReport = Type.Object(
  {
    connected: Type.Array(NodeReport, { description: 'Connected nodes.' }),
    dropped: counts('Frames dropped since the start, by cause.'),
  },
  { description: 'Of a cloud half: its nodes.' },
)
export type NodesReport = Static<typeof NodesReport>

/** One process, and what it is made of. */
export const ProcessReport = Type.Object({
  name: Type.String({ description: 'cloud, edge, up, or a simulated device.' }),
  state: Type.String({
    description: 'ready, starting, restarting, stopping, stopped; silent where the process did not answer.',
  }),
  sinceMs: time('When this state began.'),
  pid: Type.Optional(Type.Number({ description: 'Process id.' })),
  restarts: Type.Optional(count('How often skerry up started it again.')),
  log: Type.Optional(Type.String({ description: 'Where its log is.' })),
  modules: Type.Array(ModuleReport, { description: 'What it is made of.' }),
  road: Type.Optional(RoadReport),
  nodes: Type.Optional(NodesReport),
})
export type ProcessReport = Static<typeof ProcessReport>

/** What a half says of its links, beside its modules. */
export type LinksReport = Pick<ProcessReport, 'road' | 'nodes'>

/** Answer of `GET /status` on the control socket. */
export const StatusReport = Type.Object({
  version: Type.String({ description: 'Of Skerry.' }),
  processes: Type.Array(ProcessReport, { description: 'The processes of the data directory.' }),
})
export type StatusReport = Static<typeof StatusReport>

export function parseStatusReport(value: unknown): StatusReport {
  if (Value.Check(StatusReport, value)) return value
  throw new UnavailableError('The running process answered in an unknown form: is it another version of skerry?', {
    code: 'PROCESS_STATUS_INVALID',
  })
}

/** Whether every process that somebody wants is up with all its modules. A part stopped by hand is not waited for. */
export function isReady(report: StatusReport): boolean {
  return report.processes.every(
    (each) =>
      each.state === 'stopped' || (each.state === 'ready' && each.modules.every((module) => module.state === 'ready')),
  )
}
