import type { ApiObject, ResourceDefinition } from '../../kube/resource.ts'
import { methodNotAllowed } from '../../kube/status.ts'
import { checkKind, knownFields, placed } from './checks.ts'
import type { ApiContext, Change } from './context.ts'

/** Of a kind whose objects are made, answered and never kept. */
export function isQuestion({ verbs }: ResourceDefinition): boolean {
  return verbs?.length === 1 && verbs[0] === 'create'
}

/** The object with its answer. Throws a Status. */
export async function answerQuestion(
  api: ApiContext,
  change: Change,
  question: ApiObject,
  duplicates: readonly string[],
): Promise<ApiObject> {
  checkKind(change.definition, question)
  if (!api.reviews) throw methodNotAllowed()
  return await api.reviews(change, knownFields(change, placed(change, question), duplicates))
}
