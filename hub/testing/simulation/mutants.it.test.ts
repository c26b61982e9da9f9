import assert from 'node:assert/strict'
import { test } from 'node:test'
import { complaintOf } from './complaint.ts'
import { live, planOf } from './history.ts'
import { MUTANTS } from './mutants.ts'

const MOST = 40
/** A history that does not come to rest is the long one. */
const patience = 120_000

for (const [what, { deeds, breaks, ...mutant }] of Object.entries(MUTANTS)) {
  test(`that ${what} is found, and found again from the seed`, async (t) => {
    for (let number = 0; number < MOST; number++) {
      const seed = String(number)
      const course = { plan: planOf(seed, deeds), patience }
      const found = await live(seed, { ...course, mutant })
      if (found.violations[0]?.promise !== breaks) continue
      const again = await live(seed, { ...course, mutant, keepsTrace: true })
      assert.deepEqual([again.hash, again.violations], [found.hash, found.violations])
      assert.match(again.trace.join('\n'), /BROKEN/)
      assert.deepEqual((await live(seed, course)).violations, [], 'without the fault it keeps all promises')
      const complaint = complaintOf(found) ?? ''
      assert.ok(complaint.includes(`breaks "${breaks}"`) && complaint.includes(`npm run simulate -- --seed ${seed} `))
      return t.diagnostic(complaint)
    }
    assert.fail(`${MOST} histories did not notice`)
  })
}
