import assert from 'node:assert/strict'
import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { type Duration, ms, seconds, systemClock, withDeadline } from '../../time/index.ts'
import { listen } from '../listen.ts'
import { HOSTILE_ANSWERS, type HostileAnswer } from './hostile-answers.ts'

/** A client of ours that asks a peer which may be hostile. */
export interface AskingClient {
  /** Asks at this port of 127.0.0.1 and reads all of the answer. Rejects where the caller of the client is told of a failure. */
  ask(port: number): Promise<unknown>
  /** PEM, where it asks over TLS. */
  readonly tls?: { readonly cert: string; readonly key: string }
  readonly clock: { advance(duration: Duration): Promise<void> }
  /** At which it gives up. */
  readonly deadline: Duration
  /** Of one answer; bodies of 100 MiB are more. */
  readonly mostBytes: number
  /** Passes bodies on as they come: one that drips is none of its concerns. */
  readonly hasStreams?: boolean
  /** Asks a good peer as others do, and fails where it gets no good answer. */
  serves(): Promise<unknown>
}

const MIB = 1024 * 1024
/** Of the kernel at both ends, beyond what the client takes. */
const ON_THE_WAY = 16 * MIB
const MOST_GROWTH = 200 * MIB
/** Real time for what takes milliseconds. */
const PATIENCE = seconds(30)
const DRIP = ms(2)

/** Fails where an answer of the table is not told in time as what it is, its connection stays, or others are not served. */
export async function standAnswers(client: AskingClient): Promise<void> {
  await client.serves()
  const before = process.memoryUsage.rss()
  const failures: string[] = []
  const stand = async (answer: HostileAnswer) => {
    await standAnswer(client, answer).catch((error: Error) => failures.push(`${answer.name}: ${error.message}`))
  }
  for (const answer of HOSTILE_ANSWERS) {
    if (client.hasStreams && answer.drips !== undefined && answer.isInBody) continue
    await Promise.all([stand(answer), answer.ends === 'late' ? undefined : client.serves()])
  }
  if (client.tls) await standNoHandshake(client).catch((error: Error) => failures.push(error.message))
  assert.deepEqual(failures, [])
  const growth = process.memoryUsage.rss() - before
  assert.ok(growth < MOST_GROWTH, `hostile answers have left ${Math.round(growth / MIB)} MiB behind`)
  await client.serves()
}

async function standAnswer(client: AskingClient, answer: HostileAnswer): Promise<void> {
  let strayed = 0
  await using elsewhere = await startPeer(undefined, () => void strayed++)
  const scheme = client.tls ? 'https' : 'http'
  await using peer = await startPeer(
    client.tls,
    (socket) => play(socket, answer, `${scheme}://127.0.0.1:${elsewhere.port}/`),
    {
      isEarly: answer.isEarly === true,
    },
  )
  const outcome = await outcomeOf(client, peer, answer.ends === 'late')
  if (answer.ends !== 'any') {
    assert.equal(outcome, 'failed')
    await inTime(peer.closed, 'its connection stays')
  }
  assert.equal(strayed, 0, 'the client went elsewhere')
  assert.ok(peer.sent() < client.mostBytes + ON_THE_WAY, `${peer.sent()} bytes were taken`)
}

/** A peer that takes connections and says nothing to them, and one that answers a handshake with something else. */
async function standNoHandshake(client: AskingClient): Promise<void> {
  await using mute = await startPeer(undefined, () => undefined)
  assert.equal(await outcomeOf(client, mute, true), 'failed', 'a handshake without end')
  await inTime(mute.closed, 'the connection of a handshake without end stays')
  await using plain = await startPeer(undefined, (socket) => void socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'))
  assert.equal(await outcomeOf(client, plain, false), 'failed', 'no TLS')
  await inTime(plain.closed, 'a connection without TLS stays')
}

async function outcomeOf(client: AskingClient, peer: Peer, isLate: boolean): Promise<'failed' | 'answered'> {
  const outcome = client.ask(peer.port).then(
    () => 'answered' as const,
    () => 'failed' as const,
  )
  if (isLate) {
    await inTime(peer.asked, 'nobody asked')
    await client.clock.advance(seconds(client.deadline.milliseconds / 1000 + 1))
  }
  return await inTime(outcome, 'the caller is told nothing')
}

interface Peer extends AsyncDisposable {
  readonly port: number
  /** A request has begun. */
  readonly asked: Promise<void>
  /** The client has closed its connection. */
  readonly closed: Promise<void>
  sent(): number
}

async function startPeer(
  tls: AskingClient['tls'],
  answer: (socket: Socket) => void,
  { isEarly = false } = {},
): Promise<Peer> {
  const sockets = new Set<Socket>()
  const [asked, closed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const onSocket = (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('close', closed.resolve)
    if (isEarly) answer(socket)
    socket.once('data', () => {
      asked.resolve()
      if (!isEarly) answer(socket)
      socket.resume()
    })
  }
  const server: Server = tls ? createTlsServer(tls, onSocket) : createServer(onSocket)
  await listen(server, { host: '127.0.0.1', port: 0 })
  const address = server.address()
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    asked: asked.promise,
    closed: closed.promise,
    sent: () => [...sockets].reduce((sum, { bytesWritten, writableLength }) => sum + bytesWritten - writableLength, 0),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

function play(socket: Socket, { bytes, closes = false, drips }: HostileAnswer, elsewhere: string): void {
  const pieces = bytes(elsewhere)[Symbol.iterator]()
  const next = () => {
    for (;;) {
      if (socket.destroyed) return
      const { value, done } = pieces.next()
      if (done) break
      if (value.length > 0 && !socket.write(value)) return void socket.once('drain', next)
    }
    if (closes) socket.end()
    if (drips !== undefined) drip()
  }
  const drip = () => {
    if (socket.destroyed) return
    socket.write(drips ?? '')
    systemClock.after(DRIP, drip)
  }
  next()
}

function inTime<T>(work: Promise<T>, otherwise: string): Promise<T> {
  return withDeadline(systemClock, PATIENCE, undefined, () => work).catch(() => Promise.reject(new Error(otherwise)))
}
