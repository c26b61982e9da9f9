import type { Bench } from '../bench.ts'
import { must, needs } from '../must.ts'
import { NotApplicable } from '../not-applicable.ts'

/** A capability of the mapper, and what the subject says to try it on. One without the other is a name that is spelled wrong. */
export function needsBoth<T>(member: unknown, name: string, given: T | undefined, what: string): T {
  if (member === undefined && given === undefined) throw new NotApplicable(`the mapper has no ${name}`)
  must(member !== undefined, `the subject has something ${what}, but the mapper has no ${name}: is its name right?`)
  return needs(given, `the subject has nothing ${what}`)
}

export function needsLinks(bench: Bench): void {
  if (!bench.hasLinks) throw new NotApplicable('the mapper holds nothing open between two calls')
}

export function needsRead(bench: Bench): void {
  if (!bench.mapper.read) throw new NotApplicable('the mapper only watches')
  if (bench.cases.readable.length === 0) throw new NotApplicable('the subject has nothing readable')
}

/** One call may hold both devices: they are one peer, or the mapper knows no peers. */
export function needsOneLink(bench: Bench): void {
  if ((bench.subject.links ?? 'shared') !== 'shared') throw new NotApplicable('two devices never share a link')
}

/** Whether the host would ask both devices in one call. */
export function areOnePeer(bench: Bench): boolean {
  const { mapper } = bench
  if (!mapper.peer) return true
  return mapper.peer(bench.plan([], 0).config) === mapper.peer(bench.plan([], 1).config)
}
