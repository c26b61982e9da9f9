import type { Desired, Intent, TwinProperty } from '../../schemas/index.ts'
import { type ArrivedIntent, conflictOf, withoutConflict } from './conflict.ts'
import { means, withoutFailure } from './property.ts'

/**
 * The property after the spec was seen to want this value. A changed value is an intent and overrides what the edge wanted,
 * unless the edge wished for something else without the cloud knowing of it, and the policy prefers that wish. An intent is
 * remembered either way, so that it is not new a second time.
 */
export function applyIntent(property: TwinProperty, intent: ArrivedIntent): TwinProperty {
  if (isKnown(property, intent)) return property
  const { desired } = property
  const adopted: Intent = { value: intent.value, generation: intent.generation }
  const isSame = desired !== undefined && means(property, desired.value, intent.value)
  const conflict = desired?.origin === 'edge' && !isSame ? conflictOf(intent, desired) : undefined
  const open = { ...withoutConflict(property), intent: adopted, ...(conflict ? { conflict } : {}) }
  // What the cloud wants again is no new order; what the edge wanted alike becomes the cloud's.
  if (conflict?.winner === 'edge' || (isSame && desired.origin === 'cloud')) return open
  const { told, arrivedAt, value } = intent
  const next: Desired = {
    value,
    timestamp: arrivedAt,
    version: { cloud: intent.generation, edge: desired?.version.edge ?? 0 },
    origin: 'cloud',
    ...(told?.author === undefined ? {} : { author: told.author }),
  }
  return { ...withoutFailure(open), desired: next }
}

/** What the cloud no longer wants is not wanted any more, unless the edge has wished for something since. */
export function withdrawIntent(property: TwinProperty): TwinProperty {
  if (!property.intent) return property
  const { intent: _, ...rest } = withoutConflict(property)
  if (rest.desired?.origin === 'edge') return rest
  const { desired: _desired, failure: _failure, ...bare } = rest
  return bare
}

/**
 * Adopted before. Where the cloud says in which generation a value was set, the same value again is known by that; where it
 * does not, only another value is another intent.
 */
function isKnown(property: TwinProperty, { value, generation, told }: ArrivedIntent): boolean {
  const { intent } = property
  return intent !== undefined && means(property, intent.value, value) && !(told && generation > intent.generation)
}
