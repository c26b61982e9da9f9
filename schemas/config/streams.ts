import { type Static, Type } from 'typebox'
import { host, port, strict } from './fields.ts'

/** `cloudstream.kubelets` of `skerry cloud`. */
const KubeletsConfig = Type.Object(
  {
    enabled: Type.Boolean({
      default: true,
      description:
        'Serve the kubelets of all nodes that have a tunnel. Callers are asked who they are and what they may do.',
    }),
    host: host(
      '127.0.0.1',
      'Address of the stream endpoint (HTTPS) and of the ports of nodes. 0.0.0.0 for API servers on other hosts.',
    ),
    port: port(10003, 'Port of the stream endpoint, for all nodes.'),
    advertise: Type.Optional(
      Type.String({
        minLength: 2,
        description:
          'IP address at which API servers reach this process; it stands in each Node whose tunnel is here. Default: environment variable POD_IP, else host where that is one address; loopback with the embedded API alone.',
      }),
    ),
    nodePorts: Type.Optional(
      Type.String({
        pattern: '^[0-9]{1,5}-[0-9]{1,5}$',
        description: 'FIRST-LAST: the ports of which each node with a tunnel gets one. Default: any free port.',
      }),
    ),
    packetFilterPort: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 65535,
        description:
          'For installations whose API servers have packet filters as KubeEdge sets them up: nodes get no ports; instead this one stands in each Node, whose addresses stay, and the filters lead it to the stream endpoint.',
      }),
    ),
    certificate: Type.Optional(
      Type.String({
        description:
          'Serving certificate, PEM, for API servers that check those of kubelets; with key. Default: one of the CA of the cloud half.',
      }),
    ),
    key: Type.Optional(Type.String({ description: 'Its key, PEM.' })),
    clientCa: Type.Optional(
      Type.String({
        description:
          'CA of client certificates of API servers and other callers, PEM. Default: what the cluster publishes in ConfigMap kube-system/extension-apiserver-authentication.',
      }),
    ),
    streamsPerCaller: Type.Integer({
      default: 1000,
      minimum: 1,
      maximum: 100_000,
      description: 'Most requests of one caller at a time. An API server is one caller, whoever uses kubectl.',
    }),
    streams: Type.Integer({
      default: 2000,
      minimum: 1,
      maximum: 100_000,
      description: 'Most requests of all callers at a time.',
    }),
  },
  {
    ...strict,
    default: {},
    description: 'Logs, exec, attach, port-forward and metrics of nodes, as kubelets serve them.',
  },
)

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
    kubelets: KubeletsConfig,
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
