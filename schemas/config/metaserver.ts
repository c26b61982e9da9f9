import { type Static, Type } from 'typebox'
import { port, strict } from './fields.ts'

/** `metaServer` of `skerry edge`. */
export const MetaServerConfig = Type.Object(
  {
    enabled: Type.Boolean({ default: true, description: 'Whether it is served.' }),
    host: Type.String({
      default: '127.0.0.1',
      pattern: '^(127\\.\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}|::1|localhost)$',
      description: 'Its address for people and programs of this machine, on the loopback.',
    }),
    port: port(10550, 'Its port (HTTPS).'),
    services: Type.Boolean({
      default: true,
      description:
        'Whether this node keeps Services, EndpointSlices and Endpoints of the namespaces of its pods, for the time without the cloud. false saves their traffic; they are then asked of the cloud.',
    }),
    audiences: Type.Array(Type.String({ minLength: 1 }), {
      default: [],
      description: 'More audiences for which tokens of service accounts may be, beside the issuer of the cluster.',
    }),
  },
  {
    ...strict,
    default: {},
    description: 'MetaServer: the Kubernetes API of this node, also without the cloud. Loaded at its first request.',
  },
)
export type MetaServerConfig = Static<typeof MetaServerConfig>
