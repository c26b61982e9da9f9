import { describeError } from '../../../platform/lifecycle/index.ts'
import { ms, systemClock } from '../../../platform/time/index.ts'
import { isDeviceSilent } from '../../contract/index.ts'
import type { Check } from '../check.ts'
import { must, mustEqual } from '../must.ts'
import { NotApplicable } from '../not-applicable.ts'
import { leftOpen } from './left-open.ts'
import { needsLinks, needsRead } from './needs.ts'
import { mustRead } from './outcomes.ts'

/** A socket is closed a turn after it is destroyed; a timer that still runs afterwards was forgotten. */
const GRACE = ms(500)

/** From connect to dispose. */
export const connectionChecks: readonly Check[] = [
  {
    name: 'rejects connecting when the signal has aborted before',
    advice: 'Begin connect with context.signal.throwIfAborted(), or hand the signal on.',
    async run(bench) {
      needsLinks(bench)
      const server = await bench.start()
      const reason = new Error('too late')
      await bench.rejects('connecting with an aborted signal', bench.connect(AbortSignal.abort(reason)))
      must(server.connections === 0, 'a link is open although connecting was aborted before it began')
    },
  },
  {
    name: 'gives up connecting when the signal aborts under way, and leaves no link',
    advice: 'On abort destroy the half-open socket and reject; also what opens only after the abort has to be closed.',
    async run(bench) {
      needsLinks(bench)
      const server = await bench.start()
      server.silence()
      for (const wait of [0, 1, 20]) {
        const stop = new AbortController()
        // It may be quicker than the abort.
        const connecting = bench.connect(stop.signal).then(
          (connection) => bench.dispose(connection),
          () => undefined,
        )
        if (wait > 0) await systemClock.sleep(ms(wait))
        stop.abort(new Error('given up'))
        await bench.promptly('connect after its signal aborted', connecting)
      }
      await bench.untilNoLink()
    },
  },
  {
    name: 'rejects connecting, or the first read, where nobody answers',
    advice: 'Let the error of the socket reject connect; a listener that is missing makes it hang or crash.',
    async run(bench) {
      const server = await bench.start()
      const visits = bench.mapper.read ? bench.visits(bench.cases.readable) : []
      await server[Symbol.asyncDispose]()
      const trying = bench.connect().then(async (connection) => {
        if (bench.hasLinks) return connection
        return bench.read(connection, visits)
      })
      await bench.rejects('reaching a device that is not there', trying)
    },
  },
  {
    name: 'can be disposed twice, and leaves no link behind',
    advice: 'Make [Symbol.asyncDispose] close the link, wait until it is closed, and do nothing the second time.',
    async run(bench) {
      needsLinks(bench)
      await bench.start()
      const connection = await bench.connect()
      await bench.until('the server sees the link', () => bench.server.connections > 0)
      await bench.dispose(connection)
      await bench.dispose(connection)
      await bench.untilNoLink()
    },
  },
  {
    name: 'can be disposed while a call is under way, which then rejects',
    advice: 'Reject all calls that wait when the connection is disposed; do not wait for their answers.',
    async run(bench) {
      needsLinks(bench)
      needsRead(bench)
      const server = await bench.start()
      const connection = await bench.connect()
      const visits = bench.visits(bench.cases.readable)
      server.silence()
      const before = server.requests
      const reading = bench.rejects('a read whose connection was disposed', bench.read(connection, visits))
      await Promise.race([bench.until('a request', () => server.requests > before), reading])
      await bench.dispose(connection)
      const error = await reading
      must(!isDeviceSilent(error), 'the read was not ended: the mapper waited for its own timeout')
      await bench.untilNoLink()
    },
  },
  {
    name: 'leaves no socket, timer or thread open after it was disposed',
    advice:
      'Close what connect and the calls opened, and clear their timers, also after a call that failed or was aborted.',
    async run(bench) {
      needsLinks(bench)
      const server = await bench.start()
      const once = async () => {
        const connection = await bench.connect()
        if (bench.mapper.read) {
          const visits = bench.visits(bench.cases.readable)
          await bench.read(connection, visits)
          server.silence()
          await bench.read(connection, visits, AbortSignal.timeout(5)).catch(() => undefined)
        }
        await bench.dispose(connection)
        await server.resume()
        await bench.untilNoLink()
      }
      // A vendor library may keep something for good from its first use on.
      await once()
      const before = leftOpen()
      for (let round = 0; round < 3; round++) await once()
      const end = systemClock.monotonic() + GRACE.milliseconds
      let more = leftOpen(before)
      while (more.length > 0 && systemClock.monotonic() < end) {
        await systemClock.sleep(ms(5))
        more = leftOpen(before)
      }
      must(more.length === 0, `after three more connections these are left open: ${more.join(', ')}`)
    },
  },
  {
    name: 'reads again through a new connection after a disposed one',
    advice: 'Keep all state in the connection; nothing at module level may outlive it.',
    async run(bench) {
      needsRead(bench)
      await bench.start()
      const visits = bench.visits(bench.cases.readable)
      const values = bench.cases.readable.map(({ value }) => value)
      for (let round = 0; round < 2; round++) {
        const connection = await bench.connect()
        mustRead(await bench.read(connection, visits), visits, values)
        await bench.dispose(connection)
      }
    },
  },
  {
    name: 'keeps two connections apart: one can end while the other goes on',
    advice: 'Keep all state in the connection; nothing at module level may be shared by two.',
    async run(bench) {
      needsRead(bench)
      if (bench.subject.isExclusive) throw new NotApplicable('only one connection at a time can be open')
      await bench.start()
      const visits = bench.visits(bench.cases.readable)
      const values = bench.cases.readable.map(({ value }) => value)
      const [first, second] = [await bench.connect(), await bench.connect()]
      const [one, two] = await Promise.all([bench.read(first, visits), bench.read(second, visits)])
      mustRead(one, visits, values)
      mustRead(two, visits, values)
      await bench.dispose(first)
      mustRead(await bench.promptly('a read of the other connection', bench.read(second, visits)), visits, values)
    },
  },
  {
    name: 'throws when the link dies in the middle of a read, and a new link works',
    advice:
      'Reject every waiting call on close and error of the socket. A failed outcome is for one property, a throw for the link.',
    async run(bench) {
      needsRead(bench)
      const server = await bench.start()
      const visits = bench.visits(bench.cases.readable)
      const connection = await bench.connect()
      server.silence()
      const before = server.requests
      const rejected = bench.rejects('a read whose link died', bench.read(connection, visits))
      await Promise.race([bench.until('a request', () => server.requests > before), rejected])
      server.drop()
      await rejected
      await server.resume()
      await bench.dispose(connection)
      const results = await bench.read(await bench.connect(), visits)
      mustEqual(results.size, visits.length, 'outcomes through the new link')
    },
  },
  {
    name: 'throws on a link that died while nobody looked',
    advice: 'Remember the close of the socket, and let the next call throw at once.',
    async run(bench) {
      needsLinks(bench)
      needsRead(bench)
      const server = await bench.start()
      const connection = await bench.connect()
      const visits = bench.visits(bench.cases.readable)
      await bench.read(connection, visits)
      server.drop()
      await bench.untilNoLink()
      const error = await bench.rejects('a read on a dead link', bench.read(connection, visits))
      must(!isDeviceSilent(error), 'a dead link is no silent device: throw another error than DeviceSilentError')
      must(describeError(error) !== '', 'what it throws has to say what happened')
    },
  },
  {
    name: 'gives up a silent server as soon as the signal aborts',
    advice: 'Hand the signal of the call on, or reject in its abort listener.',
    async run(bench) {
      needsRead(bench)
      const server = await bench.start()
      const visits = bench.visits(bench.cases.readable)
      const connection = await bench.connect()
      server.silence()
      const stop = new AbortController()
      const before = server.requests
      let isOver = false
      const reading = bench.read(connection, visits, stop.signal).finally(() => {
        isOver = true
      })
      reading.catch(() => undefined)
      await Promise.race([bench.until('a request', () => server.requests > before), reading.catch(() => undefined)])
      must(!isOver || bench.mapper.peer !== undefined, 'the read was over before its signal aborted')
      stop.abort(new Error('the deadline'))
      const error = await bench.rejects('a read whose signal aborted', reading)
      const isOfAbort = error instanceof Error && error.cause === stop.signal.reason
      must(!isDeviceSilent(error) || isOfAbort, 'the abort did not end the read: the mapper waited for its own timeout')
      await bench.dispose(connection)
      await server.resume()
      const results = await bench.read(await bench.connect(), visits)
      mustEqual(results.size, visits.length, 'outcomes through the new link')
    },
  },
  {
    name: 'rejects a call whose signal has aborted before, without a request',
    advice: 'Begin read with signal.throwIfAborted(), or hand the signal on.',
    async run(bench) {
      needsRead(bench)
      const server = await bench.start()
      const connection = await bench.connect()
      const visits = bench.visits(bench.cases.readable)
      const before = server.requests
      const aborted = AbortSignal.abort(new Error('too late'))
      await bench.rejects('a read with an aborted signal', bench.read(connection, visits, aborted))
      // A request would need its time to arrive.
      await systemClock.sleep(ms(30))
      must(server.requests === before, 'the server got a request although the signal had aborted before')
    },
  },
]
