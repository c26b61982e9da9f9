import { type Static, Type } from 'typebox'
import { port, strict } from './fields.ts'

/** `cloudstream` of `skerry cloud`. */
export const CloudStreamConfig = Type.Object(
  {
    tunnel: Type.Boolean({
      default: true,
      description: 'Let nodes open a tunnel, through which the cloud reaches what is served on them.',
    }),
    tunnelPort: port(10004, 'Port of the tunnel server (WSS), on the address of CloudHub.'),
    streamsPerNode: Type.Integer({
      default: 128,
      minimum: 1,
      maximum: 10_000,
      description: 'Most streams through the tunnel of a node at a time: each log that is followed, each exec.',
    }),
  },
  { ...strict, default: {}, description: 'Logs, exec, metrics and services of nodes.' },
)
export type CloudStreamConfig = Static<typeof CloudStreamConfig>

/** `cloud.tunnel` of `skerry edge`. */
export const EdgeTunnelConfig = Type.Optional(
  Type.String({
    minLength: 1,
    description:
      'HOST:PORT of the tunnel server; off: no tunnel. Default: the host of server, with the port that the cloud announces.',
  }),
)
