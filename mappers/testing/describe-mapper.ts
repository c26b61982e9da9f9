import { describe, it } from 'node:test'
import { checks, runCheck } from './check-mapper.ts'
import { NOT_APPLICABLE } from './not-applicable.ts'
import type { ConformanceServer, ConformanceSubject } from './subject.ts'

/** The conformance suite as tests of node:test. */
export function describeMapper<D, V, C extends AsyncDisposable, S extends ConformanceServer>(
  subject: ConformanceSubject<D, V, C, S>,
): void {
  describe(`mapper ${subject.mapper.protocol} keeps the contract`, () => {
    for (const check of checks) {
      it(check.name, async (t) => {
        const { result, reason, advice } = await runCheck(check, subject)
        if (result === 'not applicable') return t.skip(`${NOT_APPLICABLE}: ${reason}`)
        if (result === 'failed') throw new Error(`${reason}\n${advice}`)
      })
    }
  })
}
