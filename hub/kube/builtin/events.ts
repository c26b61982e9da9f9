import type { ApiObject } from '../resource.ts'
import { type FieldError, invalid } from '../schema/field-error.ts'
import { at } from '../schema/json.ts'
import type { KindRules } from './kind-rules.ts'

/** `field`: who the event is about in this form of it. */
export function eventRules(field: 'involvedObject' | 'regarding'): KindRules {
  return { validate: (event) => eventErrors(event, field) }
}

/** An event stands in the namespace of what it is about; about cluster-scoped things, in `default`. */
function eventErrors(event: ApiObject, field: string): readonly FieldError[] {
  const about = at(event, field, 'namespace') ?? ''
  const own = at(event.metadata, 'namespace') ?? ''
  if (about === own || (about === '' && (own === 'default' || own === 'kube-system'))) return []
  return [invalid(`${field}.namespace`, about, 'does not match event.namespace')]
}
