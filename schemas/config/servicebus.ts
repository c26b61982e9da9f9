import { type Static, Type } from 'typebox'
import { strict } from './fields.ts'

const count = (fallback: number, maximum: number, description: string) =>
  Type.Integer({ default: fallback, minimum: 1, maximum, description })

/** A service on this machine that the cloud may call. */
export const LocalServiceConfig = Type.Object(
  {
    port: Type.Integer({ minimum: 1, maximum: 65535, description: 'Its TCP port on the loopback of this machine.' }),
    host: Type.Union([Type.Literal('127.0.0.1'), Type.Literal('::1')], {
      default: '127.0.0.1',
      description: 'Which of the two loopback addresses it listens on.',
    }),
    name: Type.Optional(
      Type.String({ minLength: 1, maxLength: 100, description: 'For people, in logs and metrics. Default: the port.' }),
    ),
    paths: Type.Array(Type.String({ pattern: '^/' }), {
      default: ['/'],
      minItems: 1,
      description:
        'Paths that may be called. `/api` stands for itself alone; with a slash at its end, as `/api/`, for all below it too.',
    }),
    methods: Type.Array(
      Type.Union([
        Type.Literal('GET'),
        Type.Literal('HEAD'),
        Type.Literal('POST'),
        Type.Literal('PUT'),
        Type.Literal('PATCH'),
        Type.Literal('DELETE'),
        Type.Literal('OPTIONS'),
      ]),
      {
        default: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
        minItems: 1,
        description: 'HTTP methods that may be used.',
      },
    ),
    timeoutSeconds: count(
      10,
      3600,
      'A service that says nothing for so long, before or within its answer, is given up. KubeEdge waits 10 seconds.',
    ),
    maxConcurrent: count(16, 1000, 'Most calls of this service at a time; more are refused at once.'),
  },
  { ...strict },
)
export type LocalServiceConfig = Static<typeof LocalServiceConfig>

/** `serviceBus` of `skerry edge`. */
export const ServiceBusConfig = Type.Object(
  {
    services: Type.Array(LocalServiceConfig, {
      default: [],
      description: 'HTTP services of this machine that rules of the cloud may call. None is, unless it stands here.',
    }),
    maxConcurrent: count(64, 10_000, 'Most calls of all services together. Each service has one place of its own.'),
    maxRequestBytes: Type.Integer({
      default: 67_108_864,
      minimum: 1024,
      description: 'Largest body that is passed on to a service.',
    }),
    maxAnswerBytes: Type.Integer({
      default: 67_108_864,
      minimum: 1024,
      description:
        'Largest body that a service may answer with. What goes through the hub, as with a KubeEdge cloud, is at most 5 MB.',
    }),
    listener: Type.Object(
      {
        enabled: Type.Boolean({ default: true, description: 'Let applications of this machine call the cloud.' }),
        host: Type.Union([Type.Literal('127.0.0.1'), Type.Literal('::1')], {
          default: '127.0.0.1',
          description: 'Address of ServiceBus, for applications of this machine.',
        }),
        port: Type.Integer({
          default: 9060,
          minimum: 0,
          maximum: 65535,
          description: 'Port of ServiceBus. 0 takes a free port.',
        }),
        origins: Type.Array(Type.String({ minLength: 1 }), {
          default: [],
          description: 'Web origins whose pages may call, such as http://localhost:3000. Other pages are refused.',
        }),
        maxConcurrent: count(64, 1000, 'Most calls at a time; more are refused at once.'),
      },
      { ...strict, default: {}, description: 'Where applications of this machine call the cloud.' },
    ),
    stored: Type.Object(
      {
        maxMessages: count(10_000, 1_000_000, 'Most calls that wait for the cloud; beyond it the oldest are dropped.'),
        maxBytes: Type.Integer({
          default: 67_108_864,
          minimum: 1024,
          description: 'Most bytes of them together, headers and bodies.',
        }),
        maxAgeHours: count(168, 87_600, 'A call that has waited longer is dropped.'),
      },
      { ...strict, default: {}, description: 'Calls of applications that were stored until the cloud has them.' },
    ),
  },
  {
    ...strict,
    default: {},
    description:
      'ServiceBus: HTTP services of this machine for the cloud, and the cloud for applications of this machine.',
  },
)
export type ServiceBusConfig = Static<typeof ServiceBusConfig>
