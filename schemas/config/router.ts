import { type Static, Type } from 'typebox'
import { host, port, strict } from './fields.ts'

/** The Router of the cloud half. */
export const RouterConfig = Type.Object(
  {
    host: host('127.0.0.1', 'Address of the Router (HTTPS). 0.0.0.0 for callers on other hosts.'),
    port: port(9443, 'Port of the Router.'),
    plainHttp: Type.Boolean({
      default: false,
      description: 'Serve HTTP without TLS. On a loopback address only; callers still show a token.',
    }),
  },
  { ...strict, default: {}, description: 'The Router: calls of nodes by the rules of rules.kubeedge.io.' },
)
export type RouterConfig = Static<typeof RouterConfig>
