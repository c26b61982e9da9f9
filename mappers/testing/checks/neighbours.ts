import { isDeviceSilent } from '../../contract/index.ts'
import type { Bench } from '../bench.ts'
import type { Check } from '../check.ts'
import { must, shown } from '../must.ts'
import { NotApplicable } from '../not-applicable.ts'
import { areOnePeer, needsBoth, needsOneLink, needsRead } from './needs.ts'
import { mustRead } from './outcomes.ts'

/** Two devices behind one link. */
export const neighbourChecks: readonly Check[] = [
  {
    name: 'reads two devices, and mixes up none of their values',
    advice:
      'Ask with the address that is in visit.device, e.g. the unit; the connection was made for any of its devices.',
    async run(bench) {
      needsRead(bench)
      await bench.start()
      const { first, second, values } = pair(bench)
      if ((bench.subject.links ?? 'shared') !== 'shared') {
        mustRead(await bench.read(await bench.connect(undefined, 0), first), first, values[0])
        mustRead(await bench.read(await bench.connect(undefined, 1), second), second, values[1])
        return
      }
      const connection = await bench.connect()
      mustRead(await bench.read(connection, second), second, values[1])
      mustRead(await bench.read(connection, first), first, values[0])
      if (!areOnePeer(bench)) return
      const both = Object.freeze([...first, ...second])
      mustRead(await bench.read(connection, both), both, values.flat())
    },
  },
  {
    name: 'writes to one device and leaves the other as it is',
    advice: 'Write to the address that is in order.device.',
    async run(bench) {
      needsRead(bench)
      needsOneLink(bench)
      const writable = needsBoth(bench.mapper.write, 'write', bench.cases.writable, 'writable')
      if (!isApart(bench)) throw new NotApplicable('the two devices of the subject hold the same values')
      await bench.start()
      const connection = await bench.connect()
      const other = bench.visits([writable], 1)
      const held = [...(await bench.read(connection, other)).values()][0]
      const orders = bench.orders([writable], 0)
      await bench.write(connection, orders)
      mustRead(await bench.read(connection, other), other, [held?.ok ? held.value.value : held])
      const mine = bench.visits([writable], 0)
      mustRead(await bench.read(connection, mine), mine, [writable.value])
      await bench.write(connection, bench.orders([writable], 1))
      mustRead(await bench.read(connection, other), other, [writable.value])
    },
  },
  {
    name: 'throws DeviceSilentError for one silent device, and serves its neighbour on the same link',
    advice:
      'Give peer, wait for an answer no longer than the deadline of the device, then throw DeviceSilentError and keep the link.',
    async run(bench) {
      const { server, connection } = await silentPair(bench)
      if (!server.silenceDevice) throw new NotApplicable('the server cannot silence one device')
      const { first, second, values } = pair(bench)
      server.silenceDevice(0)
      await mustBeSilent(bench, connection)
      const reading = bench.promptly('a read of the neighbour', bench.read(connection, second))
      mustRead(await reading, second, values[1])
      await server.resume()
      mustRead(
        await bench.promptly('a read of the device that is back', bench.read(connection, first)),
        first,
        values[0],
      )
    },
  },
  {
    name: 'gives the late answer of one device to nobody else',
    advice:
      'Match answers with requests by id or address, and drop what came too late; without ids, wait for the line to be quiet.',
    async run(bench) {
      const { server, connection } = await silentPair(bench)
      if (!server.holdDevice) throw new NotApplicable('the server cannot hold the answers of one device back')
      const { first, second, values } = pair(bench)
      server.holdDevice(0)
      await mustBeSilent(bench, connection)
      await server.resume()
      for (let again = 0; again < 2; again++) {
        mustRead(await bench.promptly('a read of the neighbour', bench.read(connection, second)), second, values[1])
        const others = first.toReversed()
        const reading = bench.promptly('a read after the late answer', bench.read(connection, others))
        mustRead(await reading, others, values[0]?.toReversed() ?? [])
      }
    },
  },
]

async function silentPair(bench: Bench) {
  needsRead(bench)
  needsOneLink(bench)
  const server = await bench.start()
  if (areOnePeer(bench)) throw new NotApplicable('the two devices are one peer: they fail together')
  return { server, connection: await bench.connect() }
}

async function mustBeSilent(bench: Bench, connection: AsyncDisposable): Promise<void> {
  const visits = bench.visits(bench.cases.readable, 0)
  const limit = (bench.mapper.deadline?.(bench.plan([]).config, visits) ?? 2000) + bench.patience.milliseconds
  const signal = AbortSignal.timeout(limit)
  const error = await bench.read(connection, visits, signal).then(
    (results) => results,
    (thrown: unknown) => thrown,
  )
  must(
    !signal.aborted,
    'the silent device was waited for until the deadline of the host: give up before, with DeviceSilentError',
  )
  must(isDeviceSilent(error), `a silent device has to be thrown as DeviceSilentError, not ${shown(error)}`)
}

function pair(bench: Bench) {
  const { readable } = bench.cases
  return {
    first: bench.visits(readable, 0),
    second: bench.visits(readable, 1),
    values: [readable.map(({ value }) => value), readable.map(({ value, second = value }) => second)] as const,
  }
}

function isApart(bench: Bench): boolean {
  return bench.cases.readable.some(({ second }) => second !== undefined)
}
