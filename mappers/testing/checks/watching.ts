import { ms, systemClock } from '../../../platform/time/index.ts'
import type { Outcome, Reading, Report, VisitId } from '../../contract/index.ts'
import type { AnyVisit, Bench } from '../bench.ts'
import type { Check } from '../check.ts'
import { must, mustEqual, shown } from '../must.ts'
import { NotApplicable } from '../not-applicable.ts'
import { needsBoth } from './needs.ts'
import { mustBeReading, mustRead } from './outcomes.ts'

/** A mapper that floods reports must not fill the memory as well. */
const MOST_REPORTS = 10_000
/** Long enough for a report that is on its way to arrive. */
const AFTERMATH = ms(50)

type Reports = readonly (readonly [VisitId, Outcome<Reading>])[]

/** What `watch` does. */
export const watchingChecks: readonly Check[] = [
  {
    name: 'reports a change while it watches, and only what it was asked to watch',
    advice:
      'Call report(visit.id, { ok: true, value: { value } }) with the ids of this watch whenever a value arrives.',
    async run(bench) {
      const { watch, visits, reports, stop } = await watched(bench)
      await changeUntilReported(bench, reports)
      const asked = new Set(visits.map(({ id }) => id))
      for (const [id, outcome] of reports) {
        must(asked.has(id), 'a report has an id that is not watched')
        if (outcome.ok) mustBeReading(outcome.value, 'a report')
      }
      must(!watch.isOver, 'the watch ended although its link is good and its signal has not aborted')
      await stop()
    },
  },
  {
    name: 'settles promptly when the signal of the watch aborts, and the connection stays good',
    advice:
      'End the subscription in the abort listener and let watch resolve or reject; close nothing that others use.',
    async run(bench) {
      const { connection, watchable, reports, stop } = await watched(bench)
      await changeUntilReported(bench, reports)
      await stop()
      const next = start(bench, connection, [watchable])
      await changeUntilReported(bench, next.reports)
      await next.stop()
    },
  },
  {
    name: 'reports nothing after the signal of the watch aborted',
    advice: 'Remove the listener on abort, or look at signal.aborted before each report.',
    async run(bench) {
      const { watchable, reports, stop } = await watched(bench)
      await changeUntilReported(bench, reports)
      await stop()
      const before = reports.length
      await watchable.change(bench.server)
      await systemClock.sleep(AFTERMATH)
      mustEqual(reports.length, before, 'reports after the abort')
    },
  },
  {
    name: 'ends the watch when the link dies',
    advice: 'Reject watch when the socket closes: the host then connects and watches again.',
    async run(bench) {
      const { watch, reports } = await watched(bench)
      await changeUntilReported(bench, reports)
      if (!bench.hasLinks) throw new NotApplicable('the mapper holds nothing open')
      bench.server.drop()
      await bench.promptly('the end of a watch whose link died', watch.settled)
    },
  },
  {
    name: 'ends the watch when its connection is disposed',
    advice: 'Settle every watch in [Symbol.asyncDispose].',
    async run(bench) {
      const { watch, connection, reports } = await watched(bench)
      await changeUntilReported(bench, reports)
      await bench.dispose(connection)
      await bench.promptly('the end of a watch whose connection was disposed', watch.settled)
      await bench.untilNoLink()
    },
  },
  {
    name: 'reads while it watches, and both agree',
    advice:
      'Calls and a watch run side by side on one connection: match answers with requests, and give reports their own way.',
    async run(bench) {
      if (!bench.mapper.read) throw new NotApplicable('the mapper only watches')
      const { connection, watchable, reports, stop } = await watched(bench)
      const visits = bench.visits([watchable])
      await bench.promptly('a read while a watch runs', bench.read(connection, visits))
      await changeUntilReported(bench, reports)
      mustRead(await bench.read(connection, visits), visits, [watchable.next])
      await stop()
      mustRead(await bench.promptly('a read after the watch', bench.read(connection, visits)), visits, [watchable.next])
    },
  },
  {
    name: 'rejects a watch whose signal has aborted before, and reports nothing',
    advice: 'Look at the signal before subscribing.',
    async run(bench) {
      const watchable = needsWatchable(bench)
      await bench.start()
      const connection = await bench.connect()
      const reports: unknown[] = []
      const report = reportInto((id) => void reports.push(id))
      const watching = bench.watch(
        connection,
        bench.visits([watchable]),
        report,
        AbortSignal.abort(new Error('too late')),
      )
      await bench.promptly(
        'a watch with an aborted signal',
        watching.catch(() => undefined),
      )
      mustEqual(reports.length, 0, 'reports of a watch that never began')
    },
  },
]

async function watched(bench: Bench) {
  const watchable = needsWatchable(bench)
  await bench.start()
  const connection = await bench.connect()
  return { watchable, connection, ...start(bench, connection, [watchable]) }
}

function needsWatchable(bench: Bench) {
  return needsBoth(bench.mapper.watch, 'watch', bench.cases.watchable, 'watchable')
}

function start(
  bench: Bench,
  connection: AsyncDisposable,
  properties: readonly NonNullable<Bench['cases']['watchable']>[],
) {
  const controller = new AbortController()
  const visits: readonly AnyVisit[] = bench.visits(properties)
  const reports: (readonly [VisitId, Outcome<Reading>])[] = []
  const report = reportInto((id, outcome) => {
    if (reports.length < MOST_REPORTS) reports.push([id, outcome])
  })
  const watch = { isOver: false, settled: Promise.resolve() }
  watch.settled = bench
    .watch(connection, visits, report, controller.signal)
    .catch(() => undefined)
    .finally(() => {
      watch.isOver = true
    })
  return {
    visits,
    reports,
    watch,
    stop: async () => {
      controller.abort(new Error('no longer watched'))
      await bench.promptly('the end of a watch whose signal aborted', watch.settled)
    },
  }
}

/** Nobody hears when a watch is in place: the device changes again until it is heard. */
async function changeUntilReported(bench: Bench, reports: Reports): Promise<void> {
  const watchable = needsWatchable(bench)
  const end = systemClock.monotonic() + bench.patience.milliseconds
  for (let pause = 5; !isReported(reports, watchable.next); pause *= 2) {
    must(systemClock.monotonic() < end, `the change was not reported within ${bench.patience.milliseconds} ms`)
    await watchable.change(bench.server)
    await systemClock.sleep(ms(pause))
  }
}

function isReported(reports: Reports, value: unknown): boolean {
  return reports.some(([, outcome]) => outcome.ok && shown(outcome.value.value) === shown(value))
}

/** As the host's, which also hears of devices that come and go. */
function reportInto(take: (id: VisitId, outcome: Outcome<Reading>) => void): Report {
  return Object.assign(take, { presence: () => undefined })
}
