import type { ServiceError } from '@grpc/grpc-js'
import protobuf from 'protobufjs'

/** What a server says of one of its services; by the numbers of grpc.health.v1. */
const STATUSES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const
export type HealthStatus = (typeof STATUSES)[number]

export interface HealthServer {
  /** Settles when the connection stands. */
  connect(): Promise<void>
  /** `service` is empty for the server as a whole. Rejects with an error of gRPC (`code`, `details`). */
  check(service: string): Promise<HealthStatus>
}

/** gRPC status codes. */
export const UNIMPLEMENTED = 12

const CHECK = '/grpc.health.v1.Health/Check'
const SMALL = 10 * 1024

/**
 * Lends `use` a connection of its own to a server, without TLS, and ends it. The vendor library is loaded here and not before.
 * `address` is `<host>:<port>`. An abort ends the connection, and what waits on it rejects.
 */
export async function withHealthServer<T>(
  address: string,
  userAgent: string,
  signal: AbortSignal,
  use: (server: HealthServer) => Promise<T>,
): Promise<T> {
  const grpc = await import('@grpc/grpc-js')
  signal.throwIfAborted()
  const client = new grpc.Client(address, grpc.credentials.createInsecure(), {
    'grpc.primary_user_agent': userAgent,
    'grpc.max_receive_message_length': SMALL,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 1000,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_http_proxy': 0,
    'grpc.enable_retries': 0,
    'grpc.service_config_disable_resolution': 1,
  })
  const onAbort = () => client.close()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await use({
      connect() {
        const { promise, resolve, reject } = Promise.withResolvers<void>()
        client.waitForReady(Number.POSITIVE_INFINITY, (error) => (error ? reject(error) : resolve()))
        return promise
      },
      check(service) {
        const { promise, resolve, reject } = Promise.withResolvers<HealthStatus>()
        const answered = (error: ServiceError | null, status: HealthStatus = 'UNKNOWN') =>
          error ? reject(error) : resolve(status)
        const call = client.makeUnaryRequest(CHECK, encodeRequest, decodeResponse, service, answered)
        signal.addEventListener('abort', () => call.cancel(), { once: true })
        return promise
      },
    })
  } finally {
    signal.removeEventListener('abort', onAbort)
    client.close()
  }
}

/** HealthCheckRequest: its field 1 is the service. */
function encodeRequest(service: string): Buffer {
  const writer = protobuf.Writer.create()
  return Buffer.from((service === '' ? writer : writer.uint32(10).string(service)).finish())
}

/** HealthCheckResponse: its field 1 is the status. */
function decodeResponse(bytes: Buffer): HealthStatus {
  const reader = protobuf.Reader.create(bytes)
  let status = 0
  while (reader.pos < reader.len) {
    const tag = reader.uint32()
    if (tag === 8) status = reader.int32()
    else reader.skipType(tag & 7)
  }
  return STATUSES[status] ?? 'UNKNOWN'
}
