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
    replicas: Type.Object(
      {
        enabled: Type.Boolean({
          default: false,
          description:
            'Pass calls on to the replica of the cloud half that a node is connected to, and take those of others. They reach this one at cloudstream.kubelets.advertise, else environment variable POD_IP.',
        }),
        port: port(9444, 'Port for other replicas, at the address in router.host (mutual TLS).'),
      },
      { ...strict, default: {}, description: 'Where several cloud halves run on one cluster.' },
    ),
  },
  { ...strict, default: {}, description: 'The Router: calls of nodes by the rules of rules.kubeedge.io.' },
)
export type RouterConfig = Static<typeof RouterConfig>
