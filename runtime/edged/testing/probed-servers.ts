import { once } from 'node:events'
import { createServer as createHttpServer, type RequestListener } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { createServer, type Server, type Socket } from 'node:net'
import { Server as GrpcServer, type handleUnaryCall, ServerCredentials, type ServiceDefinition } from '@grpc/grpc-js'
import { testAuthority, testIdentity } from '../../../platform/certificates/testing/index.ts'

/** A server on loopback that a test asks; it counts its connections. */
export interface ProbedServer extends AsyncDisposable {
  readonly port: number
  readonly connections: number
  /** Connections that are open. */
  readonly open: number
}

export async function httpServer(answer: RequestListener): Promise<ProbedServer> {
  return listening(createHttpServer(answer))
}

/** With a certificate that nobody knows. */
export async function httpsServer(answer: RequestListener): Promise<ProbedServer> {
  const identity = await testIdentity(await testAuthority(), { commonName: 'somebody else' }, ['serverAuth'])
  return listening(createHttpsServer({ key: identity.key, cert: identity.cert }, answer))
}

/** Says what it likes, when it likes. */
export async function rawServer(talk: (socket: Socket) => void): Promise<ProbedServer> {
  return listening(createServer(talk))
}

async function listening(server: Server): Promise<ProbedServer> {
  const sockets = new Set<Socket>()
  let connections = 0
  server.on('connection', (socket: Socket) => {
    connections++
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return {
    port: address.port,
    get connections() {
      return connections
    },
    get open() {
      return sockets.size
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

/** A port at which nobody listens. */
export async function closedPort(): Promise<number> {
  const server = await rawServer(() => undefined)
  await server[Symbol.asyncDispose]()
  return server.port
}

/** A server of grpc.health.v1 that answers with these bytes to those of a request; without them it has another service only. */
export async function healthServer(
  answer: handleUnaryCall<Buffer, Buffer> | undefined,
): Promise<{ readonly port: number } & Disposable> {
  const server = new GrpcServer()
  const bytes = (value: Buffer) => value
  const path = answer ? '/grpc.health.v1.Health/Check' : '/other.Service/Check'
  const check: ServiceDefinition[string] = {
    ...{ path, requestStream: false, responseStream: false },
    ...{ requestSerialize: bytes, requestDeserialize: bytes, responseSerialize: bytes, responseDeserialize: bytes },
  }
  const unanswered: handleUnaryCall<Buffer, Buffer> = () => undefined
  server.addService({ check }, { check: answer ?? unanswered })
  const port = await new Promise<number>((resolve, reject) => {
    const credentials = ServerCredentials.createInsecure()
    server.bindAsync('127.0.0.1:0', credentials, (error, at) => (error ? reject(error) : resolve(at)))
  })
  return { port, [Symbol.dispose]: () => server.forceShutdown() }
}
