import assert from 'node:assert/strict'
import { test } from 'node:test'
import { live } from './history.ts'

/** Shards of the gate: each file of tests is a process of its own. */
export const SHARDS = 4
/** Histories of the gate, in all shards together. Their seeds are 0 and on. */
export const HISTORIES = 2_000
/** Histories in one test. */
const GROUP = 100

/** One shard of the histories of the gate. A history that breaks a promise is told with the command that replays it. */
export function testHistories(shard: number): void {
  const share = HISTORIES / SHARDS
  for (let first = shard * share; first < (shard + 1) * share; first += GROUP) {
    test(`histories ${first} to ${first + GROUP - 1}: whatever fails, all promises hold`, async () => {
      const broken: string[] = []
      for (let seed = first; seed < first + GROUP; seed++) broken.push(...(await brokenBy(String(seed))))
      assert.deepEqual(broken, [])
    })
  }
}

async function brokenBy(seed: string): Promise<readonly string[]> {
  const { violations } = await live(seed)
  return violations.slice(0, 1).map(({ promise, detail, at }) => {
    const replay = `npm run simulate -- --seed ${seed} --trace`
    return `history ${seed} breaks "${promise}" after ${Math.round(at / 1000)} s: ${detail} (replay: ${replay})`
  })
}
