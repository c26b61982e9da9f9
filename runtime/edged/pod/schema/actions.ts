import { type Static, Type } from 'typebox'
import { closed, count, list, optional, PortReference, text } from './parts.ts'

const Command = Type.Object({ command: list(text()) }, closed)

export const HttpGet = Type.Object(
  {
    path: text('/'),
    port: PortReference,
    host: optional(text()),
    scheme: Type.Union([Type.Literal('HTTP'), Type.Literal('HTTPS')], { default: 'HTTP' }),
    httpHeaders: list(Type.Object({ name: text(), value: text('') }, closed)),
  },
  closed,
)
export type HttpGet = Static<typeof HttpGet>

const TcpSocket = Type.Object({ port: PortReference, host: optional(text()) }, closed)

/** What a container does, or is asked, after its start and before its end. */
export const Hook = Type.Object(
  {
    exec: optional(Command),
    httpGet: optional(HttpGet),
    tcpSocket: optional(TcpSocket),
    sleep: optional(Type.Object({ seconds: Type.Integer({ minimum: 0 }) }, closed)),
  },
  closed,
)
export type Hook = Static<typeof Hook>

export const Probe = Type.Object(
  {
    exec: optional(Command),
    httpGet: optional(HttpGet),
    tcpSocket: optional(TcpSocket),
    grpc: optional(Type.Object({ port: Type.Integer({ minimum: 1, maximum: 65535 }), service: text('') }, closed)),
    initialDelaySeconds: count(0),
    timeoutSeconds: count(1, 1),
    periodSeconds: count(10, 1),
    successThreshold: count(1, 1),
    failureThreshold: count(3, 1),
    terminationGracePeriodSeconds: optional(Type.Integer({ minimum: 0 })),
  },
  closed,
)
export type Probe = Static<typeof Probe>
