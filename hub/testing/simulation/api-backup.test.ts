import assert from 'node:assert/strict'
import { test } from 'node:test'
import { live, type Planned } from './history.ts'
import { NO_OBJECT_DIGEST } from './no-object-digest.ts'

/** What people do before and after a backup, which is then put back, records of what nodes have included. */
function planOf(seed: string): readonly Planned[] {
  const edits = ['create device', 'delete device', 'make device again', 'move device', 'edit model', 'set policy']
  const doing = (what: string, index: number, from: number) => ({
    ...{ at: from + index * 1000, what, seed: `${seed}/${from}/${index}` },
  })
  return [
    ...edits.map((what, index) => doing(what, index, 1000)),
    doing('back up API', 0, 15_000),
    ...edits.map((what, index) => doing(what, index, 20_000)),
    doing('restore API', 0, 40_000),
    doing('restart cloud', 0, 80_000),
  ]
}

const SEEDS = ['1', '2', '3', '4', '5', '6', '7', '8']

async function broken(seed: string, mutant = {}): Promise<readonly string[]> {
  const { violations } = await live(seed, { plan: planOf(seed), mutant })
  return violations.map(({ promise, detail }) => `${seed} ${promise}: ${detail}`)
}

test('where the API goes back to a backup with its records, each node has the objects of the backup in the end', async () => {
  for (const seed of SEEDS) assert.deepEqual(await broken(seed), [])
})

test('that edges do not say what they hold is found', async () => {
  for (const seed of SEEDS) if ((await broken(seed, NO_OBJECT_DIGEST)).length > 0) return
  assert.fail('no history noticed')
})
