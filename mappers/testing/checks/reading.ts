import type { AnyVisit, Bench } from '../bench.ts'
import type { Check } from '../check.ts'
import { must, mustEqual, needs } from '../must.ts'
import { NotApplicable } from '../not-applicable.ts'
import { needsRead } from './needs.ts'
import { mustAnswer, mustRead } from './outcomes.ts'

const MANY = 1000

/** What `read` answers while the link is good. */
export const readingChecks: readonly Check[] = [
  {
    name: 'reads what the server holds, with one outcome per visit',
    advice: 'Set results.set(visit.id, { ok: true, value: { value } }) for each visit of the call; readEach does it.',
    async run(bench) {
      const { connection, visits, values } = await ready(bench)
      mustRead(await bench.read(connection, visits), visits, values)
    },
  },
  {
    name: 'answers exactly the visits of each call, in whatever order and number they come',
    advice:
      'Take nothing of an earlier call into the next: visits change, come alone, in another order, and twice for one place.',
    async run(bench) {
      const { connection, visits, values } = await ready(bench)
      const ask = async (asked: readonly AnyVisit[], held: readonly unknown[]) =>
        mustRead(await bench.read(connection, Object.freeze([...asked])), asked, held)
      await ask(visits.toReversed(), values.toReversed())
      for (const [at, visit] of visits.entries()) await ask([visit], [values[at]])
      const again = bench.visits(bench.cases.readable)
      await ask([...visits, ...again], [...values, ...values])
      await ask(again, values)
    },
  },
  {
    name: 'loses no value to a neighbour that fails',
    advice:
      'An error of one property is a failed outcome of its visit: { ok: false, error }. Throw only when the link is lost.',
    async run(bench) {
      const broken = needs(bench.cases.broken, 'the subject has no broken property')
      const { connection, values } = await ready(bench)
      const middle = Math.ceil(values.length / 2)
      const { readable } = bench.cases
      const mixed = bench.visits([...readable.slice(0, middle), broken, ...readable.slice(middle)])
      const bad = mixed[middle]
      for (let again = 0; again < 2; again++) {
        const results = await bench.read(connection, mixed)
        mustAnswer(results, mixed)
        const good = mixed.filter((visit) => visit !== bad)
        const rest = new Map([...results].filter(([id]) => id !== bad?.id))
        mustRead(rest, good, values)
        must(bad !== undefined && results.get(bad.id)?.ok === false, 'the broken property has to be a failed outcome')
      }
      const alone = bench.visits([broken])
      mustAnswer(await bench.read(connection, alone), alone)
    },
  },
  {
    name: 'answers a thousand visits in one call',
    advice: 'Split large batches by what the protocol allows, and give each visit the answer to its own request.',
    async run(bench) {
      needsRead(bench)
      const many = bench.cases.many?.bind(bench.cases)
      if (!many) throw new NotApplicable('the subject has no many')
      await bench.start()
      const properties = Array.from({ length: MANY }, (_, index) => many(index))
      const visits = bench.visits(properties)
      const results = await bench.read(await bench.connect(), visits)
      mustAnswer(results, visits)
      const failed = visits.filter(({ id }) => results.get(id)?.ok !== true)
      must(failed.length === 0, `${failed.length} of ${MANY} visits failed, first ${failed[0]?.property.name}`)
      for (const [at, visit] of visits.entries()) {
        const value = properties[at]?.value
        if (value !== undefined) mustRead(new Map([...results].filter(([id]) => id === visit.id)), [visit], [value])
      }
    },
  },
  {
    name: 'serves thirty calls one after the other on one connection',
    advice: 'Remove what each call adds, e.g. listeners of a socket or of the signal, when the call ends.',
    async run(bench) {
      const { connection, visits, values } = await ready(bench)
      const stop = new AbortController()
      for (let call = 0; call < 30; call++) mustRead(await bench.read(connection, visits, stop.signal), visits, values)
    },
  },
  {
    name: 'changes nothing of what it is given',
    advice: 'Configs and visits belong to the host and are frozen: copy what you want to change.',
    async run(bench) {
      const { connection, visits } = await ready(bench)
      const open: AnyVisit[] = visits.map((visit) => structuredClone(visit))
      const before = structuredClone(open)
      await bench.read(connection, open)
      mustEqual(open, before, 'the visits after the call')
      const config = structuredClone(bench.plan([]).config)
      const copy = structuredClone(config)
      bench.mapper.connectionKey(config)
      bench.mapper.peer?.(config)
      bench.mapper.deadline?.(config, open)
      bench.mapper.busTime?.(open)
      mustEqual(config, copy, 'the device configuration')
    },
  },
  {
    name: 'never takes an answer that makes no sense for a value',
    advice: 'Check what arrives: its length, its checksum, its form. Nonsense is a failed outcome or a throw, soon.',
    async run(bench) {
      const { connection, visits, server } = await ready(bench)
      if (!server.garble) throw new NotApplicable('the server cannot garble its answers')
      server.garble()
      const reading = bench.read(connection, visits).catch((error: unknown) => error)
      // A mapper may have to wait for the end of an answer that never comes: then its deadline ends it.
      const limit = AbortSignal.timeout(bench.patience.milliseconds / 2)
      const results = await Promise.race([reading, aborted(limit)])
      if (!(results instanceof Map)) return
      mustAnswer(results, visits)
      const taken = visits.find(({ id }) => results.get(id)?.ok)
      must(taken === undefined, `nonsense was taken for the value of ${taken?.property.name}`)
    },
  },
  {
    name: 'gives no late answer to a later call',
    advice: 'Match answers with requests, and forget the requests of a call that was given up.',
    async run(bench) {
      const { connection, visits, values, server } = await ready(bench)
      if (!server.hold) throw new NotApplicable('the server cannot hold its answers back')
      server.hold()
      const stop = new AbortController()
      const before = server.requests
      const [first] = visits
      const late = bench.rejects(
        'a read whose signal aborted',
        bench.read(connection, first ? [first] : [], stop.signal),
      )
      await Promise.race([bench.until('a request', () => server.requests > before), late])
      stop.abort(new Error('the deadline'))
      await late
      await bench.dispose(connection)
      const next = bench.subject.isExclusive ? undefined : await bench.connect()
      await server.resume()
      const others = visits.toReversed()
      mustRead(await bench.read(next ?? (await bench.connect()), others), others, values.toReversed())
    },
  },
]

async function ready(bench: Bench) {
  needsRead(bench)
  const server = await bench.start()
  const visits = bench.visits(bench.cases.readable)
  const values = bench.cases.readable.map(({ value }) => value)
  return { server, connection: await bench.connect(), visits, values }
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(undefined), { once: true }))
}
