import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { type Duration, seconds, systemClock, withDeadline } from '../../time/index.ts'
import { ATTACKS, type Attack, head, PATHS, type TakenRequest } from './attacks.ts'

/** A server that is attacked. */
export interface Target {
  /** A connection on which HTTP may begin, made as somebody would who may: after TLS, with a certificate where one is asked for. */
  connect(): Promise<Socket>
  readonly request: TakenRequest
  /** How a body that is not taken is refused; 413 where nothing is said. */
  readonly tooLarge?: readonly number[]
  /** Its paths mean something else: none of them is tried. */
  readonly hasPaths?: false
  /** Asks as others do, and fails where it gets no good answer. */
  serves(): Promise<unknown>
}

/** What came back on one connection that the server has closed. */
export interface Aftermath {
  readonly statuses: readonly number[]
  readonly text: string
}

const MIB = 1024 * 1024
const AT_A_TIME = 8
/** All attacks together, in this process: those who attack are part of it. */
const MOST_GROWTH = 200 * MIB
/** Real time for what takes milliseconds. */
const PATIENCE = seconds(60)

/** Fails where an attack of the table is not refused, its connection stays, a second request comes through, or others are not served. */
export async function standAttacks(target: Target): Promise<void> {
  await target.serves()
  const before = process.memoryUsage.rss()
  const queue = [
    ...ATTACKS.map((attack) => () => standOne(target, attack)),
    ...(target.hasPaths === false ? [] : PATHS.map((path) => () => standPath(target, path))),
  ]
  const failures: string[] = []
  const worker = async () => {
    for (let stand = queue.shift(); stand; stand = queue.shift()) {
      await stand().catch((error: Error) => failures.push(error.message))
    }
  }
  await Promise.all([...Array.from({ length: AT_A_TIME }, worker), target.serves()])
  assert.deepEqual(failures, [])
  const growth = process.memoryUsage.rss() - before
  assert.ok(growth < MOST_GROWTH, `attacks have left ${Math.round(growth / MIB)} MiB behind`)
  await target.serves()
}

async function standOne(target: Target, attack: Attack): Promise<void> {
  const { name, follows = false, isTooLarge = false, isInBody = false } = attack
  const { statuses, text } = await attackWith(target, attack.bytes(target.request), name)
  const early = isTooLarge ? (target.tooLarge ?? [413]) : isInBody ? (target.tooLarge ?? []) : []
  const refusals = [...attack.refusals, ...early]
  const said = `${name}: ${JSON.stringify(text.slice(0, 300))}`
  assert.ok(!text.includes('100 Continue'), said)
  if (follows) {
    assert.ok(statuses.length === 1 || (statuses.length === 2 && refusals.includes(statuses[1] ?? 0)), said)
    return
  }
  if (refusals.length === 0 && statuses.length === 0) return
  assert.equal(statuses.length, 1, said)
  assert.ok(refusals.length === 0 ? (statuses[0] ?? 0) >= 400 : refusals.includes(statuses[0] ?? 0), said)
}

async function standPath(target: Target, path: string): Promise<void> {
  const text = head({ ...target.request, method: 'GET', path }, 'Connection: close')
  const { statuses } = await attackWith(target, [text], path)
  assert.ok(statuses.length === 1 && /^(4\d\d|501)$/.test(String(statuses[0])), `${path}: ${statuses}`)
}

/** Sends for as long as the server takes it, and settles when that has closed the connection. */
export async function attackWith(
  target: Pick<Target, 'connect'>,
  bytes: Iterable<string | Buffer>,
  name = 'an attack',
): Promise<Aftermath> {
  const socket = await target.connect()
  const ended = heard(socket)
  try {
    return await withDeadline(systemClock, PATIENCE, undefined, async () => {
      await send(socket, bytes)
      return await ended
    })
  } catch (cause) {
    throw new Error(`the connection of "${name}" is not closed`, { cause })
  } finally {
    socket.destroy()
  }
}

/** All that comes until the server closes. */
export function heard(socket: Socket): Promise<Aftermath> {
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.on('error', () => undefined)
  const { promise, resolve } = Promise.withResolvers<Aftermath>()
  const end = () => {
    const text = Buffer.concat(chunks).toString('latin1')
    const statuses = [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))
    resolve({ statuses, text })
  }
  socket.on('end', end).on('close', end)
  return promise
}

async function send(socket: Socket, bytes: Iterable<string | Buffer>): Promise<void> {
  const gone = new AbortController()
  const leave = () => gone.abort()
  socket.once('close', leave).once('end', leave)
  for (const piece of bytes) {
    if (gone.signal.aborted || !socket.writable) return
    if (!socket.write(piece)) await once(socket, 'drain', { signal: gone.signal }).catch(() => undefined)
  }
}

/** A clock that a test drives. */
interface DrivenClock {
  advance(duration: Duration): Promise<void>
}

export interface Patience {
  readonly clock: DrivenClock
  /** For a head from the begin of the connection; default 10 s. */
  readonly head?: Duration
  /** For a body, or for a pause in it; undefined where the server reads none. */
  readonly body: Duration | undefined
}

/** Fails where one who is slow keeps a connection, or hinders others. */
export async function standSlowPeers(target: Target, { clock, head: headWithin = seconds(10), body }: Patience) {
  const begin = async (text: string) => {
    const socket = await target.connect()
    const ended = heard(socket)
    if (text !== '') socket.write(text)
    return { socket, ended }
  }
  const half = head(target.request).slice(0, -10)
  const dripping = await begin(half)
  const heads = [dripping, await begin(''), await begin('\r\n'), await begin('G')]
  const all = [...heads]
  if (body) all.push(await begin(`${head(target.request, 'Content-Length: 100')}half`))
  if (body) all.push(await begin(`${head(target.request, 'Transfer-Encoding: chunked')}5\r\nab`))
  try {
    await target.serves()
    await clock.advance(seconds(headWithin.milliseconds / 2000))
    dripping.socket.write('x')
    await target.serves()
    await clock.advance(headWithin)
    for (const { ended } of heads) assert.deepEqual((await inTime(ended)).statuses, [408])
    if (!body) return
    await target.serves()
    await clock.advance(body)
    for (const { ended } of all) assert.deepEqual((await inTime(ended)).statuses, [408])
  } finally {
    for (const { socket } of all) socket.destroy()
  }
  await target.serves()
}

function inTime<T>(work: Promise<T>): Promise<T> {
  return withDeadline(systemClock, PATIENCE, undefined, () => work)
}

/** Asks over a connection of its own, and fails where the answer has another status. */
export async function answers(target: Pick<Target, 'connect' | 'request'>, status: number, body = ''): Promise<void> {
  const lines = ['Connection: close', ...(body === '' ? [] : [`Content-Length: ${body.length}`])]
  const { statuses, text } = await attackWith(target, [`${head(target.request, ...lines)}${body}`], 'a good request')
  assert.deepEqual(statuses, [status], text)
}
