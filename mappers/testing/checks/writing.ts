import type { PropertyValue } from '../../../schemas/index.ts'
import type { Bench } from '../bench.ts'
import type { Check } from '../check.ts'
import { must, mustEqual, needs, shown } from '../must.ts'
import type { ConformanceProperty } from '../subject.ts'
import { needsBoth } from './needs.ts'
import { mustAnswer, mustRead } from './outcomes.ts'

/** What `write` and `call` do. */
export const writingChecks: readonly Check[] = [
  {
    name: 'writes, and reads back what it wrote',
    advice: 'Settle write only when the device has confirmed it; the host reads back at once.',
    async run(bench) {
      const writable = needsWritable(bench)
      await bench.start()
      const connection = await bench.connect()
      const orders = bench.orders([writable])
      const written = await bench.write(connection, orders)
      mustAnswer(written, orders)
      const [outcome] = written.values()
      must(outcome?.ok === true, `the write failed: ${shown(outcome?.ok === false && outcome.error)}`)
      must(outcome.value === undefined, `a written outcome has no value, not ${shown(outcome.value)}`)
      await mustHold(bench, connection, writable)
    },
  },
  {
    name: 'answers a refused write with a failed outcome, and writes its neighbours',
    advice: 'A refusal of the device is { ok: false, error } of that order, never a throw and never a success.',
    async run(bench) {
      const writable = needsWritable(bench)
      const unwritable = needs(bench.cases.unwritable, 'the subject has no unwritable property')
      await bench.start()
      const connection = await bench.connect()
      const orders = bench.orders([unwritable, writable])
      const written = await bench.write(connection, orders)
      mustAnswer(written, orders)
      const [refused, taken] = orders
      must(
        refused !== undefined && written.get(refused.id)?.ok === false,
        'the refused write has to be a failed outcome',
      )
      must(taken !== undefined && written.get(taken.id)?.ok === true, 'the write next to a refused one has to succeed')
      await mustHold(bench, connection, writable)
    },
  },
  {
    name: 'throws when the link dies in the middle of a write',
    advice: 'Nobody knows whether the value arrived: throw, so that the host connects again and writes again.',
    async run(bench) {
      const writable = needsWritable(bench)
      const server = await bench.start()
      const connection = await bench.connect()
      server.silence()
      const before = server.requests
      const orders = bench.orders([writable])
      const rejected = bench.rejects('a write whose link died', bench.write(connection, orders))
      await Promise.race([bench.until('a request', () => server.requests > before), rejected])
      server.drop()
      await rejected
    },
  },
  {
    name: 'gives up a write that nobody confirms as soon as the signal aborts',
    advice: 'Hand the signal of the call on, or reject in its abort listener.',
    async run(bench) {
      const writable = needsWritable(bench)
      const server = await bench.start()
      const connection = await bench.connect()
      server.silence()
      const stop = new AbortController()
      const before = server.requests
      const writing = bench.write(connection, bench.orders([writable]), stop.signal)
      const over = writing.catch(() => undefined)
      await Promise.race([bench.until('a request', () => server.requests > before), over])
      stop.abort(new Error('the deadline'))
      await bench.rejects('a write whose signal aborted', writing)
    },
  },
  {
    name: 'calls, and answers with what came back',
    advice: 'call resolves to { ok: true, value: [...] }, and to { ok: false, error } when the device refuses.',
    async run(bench) {
      const { mapper } = bench
      const callable = needsBoth(mapper.call, 'call', bench.cases.callable, 'callable')
      await bench.start()
      const visit = bench.plan([callable]).callables[0]?.visit
      must(visit !== undefined, 'isCallable has to be true for what can be called')
      const connection = await bench.connect()
      const call = Object.freeze({ ...visit, arguments: callable.arguments })
      const calling = mapper.call?.(connection, call, new AbortController().signal)
      const outcome = await bench.promptly('a call', Promise.resolve(calling))
      must(outcome?.ok === true, `the call failed: ${shown(outcome?.ok === false && outcome.error)}`)
      mustEqual(outcome.value, callable.result, 'what the call gave back')
    },
  },
]

function needsWritable(bench: Bench): ConformanceProperty & { readonly value: PropertyValue } {
  return needsBoth(bench.mapper.write, 'write', bench.cases.writable, 'writable')
}

async function mustHold(
  bench: Bench,
  connection: AsyncDisposable,
  writable: ConformanceProperty & { readonly value: PropertyValue },
): Promise<void> {
  if (!bench.mapper.read) return
  const visits = bench.visits([writable])
  mustRead(await bench.read(connection, visits), visits, [writable.value])
}
