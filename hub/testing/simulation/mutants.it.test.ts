import assert from 'node:assert/strict'
import { test } from 'node:test'
import { live } from './history.ts'
import { MUTANTS } from './mutants.ts'

/** A history that does not come to rest is the long one, so the search ends with the first. */
const MOST = 300

for (const [what, mutant] of Object.entries(MUTANTS)) {
  test(`that ${what} is found`, async (t) => {
    for (let seed = 0; seed < MOST; seed++) {
      const [found] = (await live(String(seed), { mutant })).violations
      if (found) return t.diagnostic(`history ${seed} breaks "${found.promise}": ${found.detail}`)
    }
    assert.fail(`${MOST} histories did not notice`)
  })
}
