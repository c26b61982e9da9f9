import { type Static, Type } from 'typebox'
import { port, strict } from './fields.ts'

const most = (fallback: number, description: string) =>
  Type.Integer({ default: fallback, minimum: 1, maximum: 10_000, description })

/** `http.pods`. */
const PodsAtLocalApi = Type.Object(
  {
    maxConnections: most(16, 'Connections of one pod; from one address of pods come at most twice as many.'),
    maxRequests: most(8, 'Requests of one pod that are worked on, without its streams.'),
    maxStreams: most(4, 'Streams of events of one pod.'),
  },
  { ...strict, default: {}, description: 'What each pod that uses twins may have at a time.' },
)

/** `http` of `skerry edge`. */
export const LocalApiConfig = Type.Object(
  {
    enabled: Type.Boolean({ default: true, description: 'Whether it is served.' }),
    host: Type.String({
      default: '127.0.0.1',
      pattern: '^(127\\.\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}|::1|localhost)$',
      description: 'Its address, on the loopback: callers send passwords, and nothing here encrypts.',
    }),
    port: port(9061, 'Its port.'),
    origins: Type.Array(Type.String({ minLength: 1 }), {
      default: [],
      description: 'Web origins whose pages may call, such as https://panel.example; pages of the same host may.',
    }),
    names: Type.Array(Type.String({ minLength: 1 }), {
      default: [],
      description: 'More names that callers give this host, beside localhost and addresses.',
    }),
    maxBodyBytes: Type.Integer({
      default: 1_048_576,
      minimum: 1024,
      maximum: 67_108_864,
      description: 'Largest body of a request.',
    }),
    maxStreams: Type.Integer({
      default: 64,
      minimum: 1,
      maximum: 10_000,
      description:
        'Most streams of events at a time; half of them for one user. Pods have as many beside these, with fewer for each: see pods.',
    }),
    pods: PodsAtLocalApi,
  },
  {
    ...strict,
    default: {},
    description: 'The local HTTP API: twins and methods, with the users and rights of mqtt.',
  },
)
export type LocalApiConfig = Static<typeof LocalApiConfig>
