import { BugError } from '../../../platform/lifecycle/index.ts'
import type { ApiObject, ResourceDefinition } from '../../kube/resource.ts'
import { apiVersionOf } from '../objects/registry.ts'
import type { ReadContext } from './context.ts'

/** One object as that version of its kind shows it; at once where it is of that version. Throws a Status. */
export async function converted(
  api: Pick<ReadContext, 'converter'>,
  object: ApiObject,
  definition: ResourceDefinition,
  signal: AbortSignal,
): Promise<ApiObject> {
  if (object.apiVersion === apiVersionOf(definition)) return object
  const [shown] = await api.converter.convert([object], definition, signal)
  if (shown) return shown
  throw new BugError('A conversion gave back nothing', { code: 'HUB_API_CONVERSION' })
}
