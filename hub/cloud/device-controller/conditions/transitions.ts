import type { Condition } from '../../../../schemas/index.ts'
import type { EventNote } from '../events/event-object.ts'
import { conditionNamed, SERVED_BY_NOBODY } from './conditions.ts'
import { WITH_WARNINGS } from './edge-verdict.ts'

/** Events for what changed between two sets of conditions: what a person would want to be told. */
export function notesOf(before: readonly Condition[], after: readonly Condition[]): readonly EventNote[] {
  return after.flatMap((condition) => {
    const old = conditionNamed(before, condition.type)
    if (old && old.status === condition.status && old.reason === condition.reason && !isNewWarning(condition, old)) {
      return []
    }
    const note = noteOf(condition, old)
    return note ? [note] : []
  })
}

/** Another warning is another matter. */
function isNewWarning({ reason, message }: Condition, old: Condition): boolean {
  return reason === WITH_WARNINGS && message !== old.message
}

function noteOf({ type, status, reason, message }: Condition, old: Condition | undefined): EventNote | undefined {
  switch (type) {
    case 'Accepted':
      if (status === 'False' || reason === WITH_WARNINGS) return { type: 'Warning', reason, message }
      return old?.status === 'False' ? { type: 'Normal', reason: 'Accepted', message } : undefined
    case 'Online':
      if (status === 'True') return { type: 'Normal', reason: 'Online', message }
      return old?.status === 'True' || SERVED_BY_NOBODY.has(reason) ? { type: 'Warning', reason, message } : undefined
    case 'Synced':
      return status === 'False' && (reason === 'WriteFailed' || reason === 'EdgeOverride')
        ? { type: 'Warning', reason, message }
        : undefined
    case 'Fresh':
      if (status === 'False') return { type: 'Warning', reason, message }
      return old?.status === 'False' && status === 'True' ? { type: 'Normal', reason: 'Fresh', message } : undefined
    default:
      return undefined
  }
}
