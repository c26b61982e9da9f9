import { complaintOf } from './complaint.ts'
import { live } from './history.ts'

/** Lives through the histories that it is sent, and answers with a line for each that breaks a promise. */
process.on('message', (seeds: readonly string[]) => {
  void answer(seeds)
})
// Whoever asked is gone.
process.on('disconnect', () => process.exit())

async function answer(seeds: readonly string[]): Promise<void> {
  const broken: string[] = []
  for (const seed of seeds) broken.push(...[complaintOf(await live(seed)) ?? []].flat())
  process.send?.(broken)
}
