import type { Reading, Results } from '../../contract/index.ts'
import { coerce } from '../../host/values/coerce.ts'
import type { AnyVisit } from '../bench.ts'
import { must, mustEqual, shown } from '../must.ts'

/** The outcomes of a call are of the visits that were asked, no more and no less, and well formed. */
export function mustAnswer(results: Results<unknown>, visits: readonly AnyVisit[]): void {
  for (const { id, property } of visits) {
    const outcome = results.get(id)
    must(
      outcome !== undefined,
      `the results have no outcome for the visit of ${property.name} (${visits.length} were asked)`,
    )
    if (!outcome.ok)
      must(
        outcome.error instanceof Error && outcome.error.message !== '',
        `the failed outcome of ${property.name} has no error with a message`,
      )
  }
  must(
    results.size === visits.length,
    `the results have ${results.size} outcomes for ${visits.length} visits: some have an unknown id`,
  )
}

/** Well formed, and the values of the server. */
export function mustRead(results: Results<Reading>, visits: readonly AnyVisit[], values: readonly unknown[]): void {
  mustAnswer(results, visits)
  for (const [at, { id, property, visitor }] of visits.entries()) {
    const what = `${property.name} (${shown(visitor)})`
    const outcome = results.get(id)
    must(
      outcome?.ok === true,
      `${what} has to be read, but it failed: ${shown(outcome?.ok === false && outcome.error)}`,
    )
    mustBeReading(outcome.value, `the reading of ${what}`)
    const fits = coerce(property.type, outcome.value.value)
    must(fits.ok, `${what} is no ${property.type}: ${fits.ok ? '' : fits.reason}`)
    mustEqual(outcome.value.value, values[at], what)
  }
}

export function mustBeReading(reading: Reading, what: string): void {
  must(typeof reading === 'object' && reading !== null && 'value' in reading, `${what} has to be { value }`)
  const { value, sourceTime, quality } = reading
  const isValue = ['string', 'number', 'bigint', 'boolean'].includes(typeof value) || value instanceof Uint8Array
  must(isValue, `${what} holds ${shown(value)}, which is no text, number, boolean or bytes`)
  if (sourceTime !== undefined)
    must(Number.isFinite(sourceTime) && sourceTime > 0, `sourceTime of ${what} has to be Unix ms, not ${sourceTime}`)
  if (quality !== undefined)
    must(['good', 'uncertain'].includes(quality), `quality of ${what} has to be good or uncertain`)
}
