import type { Condition, StatusConflict } from '../../../../schemas/index.ts'
import type { EventNote } from '../events/event-object.ts'

/** Characters of a value in a sentence. */
const SHOWN = 100

/** Whether cloud and edge want the same, as far as they do not know better of each other. */
export function agreement(conflicts: readonly StatusConflict[]): Pick<Condition, 'status' | 'reason' | 'message'> {
  const standing = conflicts.filter((conflict) => conflict.standing)
  const [first] = standing
  if (!first) return { status: 'True', reason: 'NoConflict', message: 'no conflict between cloud and edge stands' }
  const message = standing.map(conflictText).join('; ')
  return { status: 'False', reason: first.winner === 'edge' ? 'EdgeWon' : 'CloudWon', message }
}

/** Told once for each conflict. */
export function conflictNote(conflict: StatusConflict): EventNote {
  return { type: 'Warning', reason: 'DesiredConflict', message: conflictText(conflict) }
}

/** Property, both values, who wrote them and when, and what became of it. */
export function conflictText({ propertyName, winner, policy, cloud, edge }: StatusConflict): string {
  const ofCloud = `${cloud.author} set ${quoted(cloud.value)} in the spec (generation ${cloud.generation}, ${at(cloud)})`
  const ofEdge = `${edge.author} set ${quoted(edge.value)} at the edge (${at(edge)})`
  const side = winner === 'edge' ? 'edge' : 'cloud'
  return `${propertyName}: ${ofCloud} and ${ofEdge}, neither knowing of the other; the ${side} won (${policy})`
}

export function quoted(value: string): string {
  return value.length > SHOWN ? `${value.slice(0, SHOWN).toWellFormed()}…` : value
}

/** A time that a peer made up must not throw here. */
function at({ timestamp }: { readonly timestamp: number }): string {
  const time = new Date(timestamp)
  return Number.isNaN(time.getTime()) ? 'at an unknown time' : time.toISOString()
}
