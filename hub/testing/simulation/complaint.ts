import type { Outcome } from './history.ts'

/** What is said of a history that breaks a promise, with the command that shows it again; undefined: it keeps them all. */
export function complaintOf({ seed, violations: [first] }: Outcome): string | undefined {
  if (!first) return undefined
  const { promise, detail, at } = first
  const replay = `npm run simulate -- --seed ${seed} --trace`
  return `history ${seed} breaks "${promise}" after ${Math.round(at / 1000)} s: ${detail} (replay: ${replay})`
}
