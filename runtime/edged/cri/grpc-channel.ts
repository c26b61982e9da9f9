import type { ChannelCredentials, Client, ServiceError } from '@grpc/grpc-js'
import { RefusedError, type SkerryError, UnavailableError } from '../../../platform/lifecycle/index.ts'
import { type Clock, withDeadline } from '../../../platform/time/index.ts'
import { type CriChannel, grpcCodeOf } from './channel.ts'
import { criMethods, type Message, type Method } from './methods.ts'

/** Answers list all containers of a node, and ExecSync brings what a command wrote. */
const LARGEST_ANSWER = 16 * 1024 * 1024

/** The vendor library is loaded here and not before. `endpoint` is `unix:///run/containerd/containerd.sock` or a path. Does not wait for anybody to listen there. */
export async function openCriChannel(endpoint: string, clock: Clock): Promise<CriChannel> {
  const grpc = await import('@grpc/grpc-js')
  const methods = criMethods()
  const credentials: ChannelCredentials = grpc.credentials.createInsecure()
  const client: Client = new grpc.Client(addressOf(endpoint), credentials, {
    'grpc.max_receive_message_length': LARGEST_ANSWER,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 5000,
    'grpc.enable_http_proxy': 0,
  })

  const methodOf = (name: string): Method => {
    const found = methods.get(name)
    if (found) return found
    throw new RangeError(`CRI has no method ${name}`)
  }
  return {
    async call(name, request, deadline, signal) {
      const { path, request: sent, response } = methodOf(name)
      try {
        return await withDeadline(clock, deadline, signal, (limited) => {
          const { promise, resolve, reject } = Promise.withResolvers<Message>()
          const answered = (error: ServiceError | null, value?: Message) =>
            error ? reject(error) : resolve(value ?? {})
          const under = client.makeUnaryRequest(path, sent.encode, response.decode, request, answered)
          const onAbort = () => {
            under.cancel()
            reject(limited.reason)
          }
          limited.addEventListener('abort', onAbort, { once: true })
          return promise.finally(() => limited.removeEventListener('abort', onAbort))
        })
      } catch (error) {
        throw signal?.aborted ? signal.reason : errorOf(error, name)
      }
    },
    async *stream(name, request, signal) {
      const { path, request: sent, response } = methodOf(name)
      signal.throwIfAborted()
      const messages = client.makeServerStreamRequest(path, sent.encode, response.decode, request)
      const onAbort = () => messages.cancel()
      signal.addEventListener('abort', onAbort, { once: true })
      try {
        for await (const message of messages) yield message
      } catch (error) {
        throw signal.aborted ? signal.reason : errorOf(error, name)
      } finally {
        signal.removeEventListener('abort', onAbort)
        messages.cancel()
      }
    },
    [Symbol.dispose]: () => client.close(),
  }
}

/** gRPC status codes. */
const CANCELLED = 1
const DEADLINE_EXCEEDED = 4
const RESOURCE_EXHAUSTED = 8
const UNAVAILABLE = 14

/** The runtime itself said nothing. A call that nobody here cancelled broke off with its connection. */
const PASSING: ReadonlySet<number> = new Set([CANCELLED, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNAVAILABLE])

function errorOf(error: unknown, method: string): SkerryError {
  const grpc = grpcCodeOf(error)
  const detail = error instanceof Error && 'details' in error ? String(error.details) : String(error)
  const fields = { method, detail, ...(grpc === undefined ? {} : { grpc }) }
  if (grpc !== undefined && !PASSING.has(grpc)) {
    return new RefusedError(detail, { code: 'EDGED_RUNTIME_REFUSED', fields, cause: error })
  }
  return new UnavailableError('The container runtime does not answer', {
    code: 'EDGED_RUNTIME_UNAVAILABLE',
    fields,
    cause: error,
  })
}

/** gRPC's name of a socket. */
function addressOf(endpoint: string): string {
  return endpoint.startsWith('/') ? `unix://${endpoint}` : endpoint
}
