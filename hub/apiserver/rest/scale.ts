import { appliedError } from '../../kube/fields/index.ts'
import { objectAt, resourceVersionOf } from '../../kube/object/index.ts'
import type { ApiObject } from '../../kube/resource.ts'
import { SCALE, scaleOf, withReplicas } from '../../kube/scale/scale.ts'
import { rootSchema } from '../../kube/schema/index.ts'
import { badRequest, conflict, internalError, invalid, modified, notFound } from '../../kube/status.ts'
import { apiVersionOf, keyOf, resourceOf } from '../../serving/objects/registry.ts'
import { converted } from '../../serving/reading/versions.ts'
import { type ApplyRequest, applyObject } from './apply.ts'
import { checkFields, checkKind, checkName, knownFields, placed } from './checks.ts'
import type { ApiContext, Change } from './context.ts'
import { updateObject } from './update.ts'

/** The Scale of one object. Throws a Status. */
export async function readScale(api: ApiContext, change: Change, name: string): Promise<ApiObject> {
  const { definition, namespace, signal } = change
  const object = api.store.get(resourceOf(definition), keyOf(namespace, name))
  if (!object) throw notFound(definition, name)
  return shownScale(change, await converted(api, object, definition, signal))
}

/** Changes how many replicas an object wants; `propose` gets its present Scale. Answers with the new one. Throws a Status. */
export async function writeScale(
  api: ApiContext,
  change: Change,
  name: string,
  propose: (scale: ApiObject) => ApiObject,
  duplicates: readonly string[] = [],
): Promise<ApiObject> {
  const { definition } = change
  const { scale: paths } = definition
  if (!paths) throw notFound(definition, name)
  const asScale = { ...change, definition: SCALE }
  const edit = (current: ApiObject) => {
    // A custom object that says no number yet wants none.
    const proposed = propose(scaleOf(definition, current) ?? shownScale(change, withReplicas(paths, current, 0)))
    checkKind(SCALE, proposed)
    checkName(proposed, name)
    const given = knownFields(asScale, placed(asScale, proposed), duplicates)
    checkPreconditions(change, name, given, current)
    checkFields(SCALE, given, undefined, change.warn)
    return withReplicas(paths, current, replicasOf(change, name, given))
  }
  return shownScale(change, await updateObject(api, change, { name, subresource: 'scale' }, { propose: edit }))
}

/** Applies a Scale: of the object itself it says how many replicas are wanted, and no more. Throws a Status. */
export async function applyScale(
  api: ApiContext,
  change: Change,
  name: string,
  request: ApplyRequest,
): Promise<ApiObject> {
  const { definition } = change
  const { scale: paths } = definition
  if (!paths) throw notFound(definition, name)
  const { config } = request
  const wrong = appliedError(rootSchema(SCALE.schema), config)
  if (wrong !== undefined) throw badRequest(wrong)
  checkName(config, name)
  placed({ ...change, definition: SCALE }, config)
  const { replicas } = objectAt(config, 'spec')
  if (replicas !== undefined) replicasOf(change, name, config)
  const bare = { apiVersion: apiVersionOf(definition), kind: definition.kind, metadata: {} }
  const asked = typeof replicas === 'number' ? withReplicas(paths, bare, replicas) : bare
  const { object } = await applyObject(api, change, { name, subresource: 'scale' }, { ...request, config: asked })
  return shownScale(change, object)
}

function shownScale({ definition }: Change, object: ApiObject): ApiObject {
  const scale = scaleOf(definition, object)
  if (scale) return scale
  const path = definition.scale?.specReplicas.join('.') ?? ''
  throw internalError(`the spec replicas field ".${path}" does not exist`)
}

function checkPreconditions({ definition }: Change, name: string, given: ApiObject, current: ApiObject): void {
  const { uid } = given.metadata
  if (uid !== undefined && uid !== '' && uid !== current.metadata['uid']) {
    const why = `Precondition failed: UID in precondition: ${String(uid)}, UID in object meta: ${String(current.metadata['uid'])}`
    throw conflict(definition, name, why)
  }
  const version = resourceVersionOf(given)
  if (version !== '' && version !== '0' && version !== resourceVersionOf(current)) throw modified(definition, name)
}

function replicasOf({ definition }: Change, name: string, scale: ApiObject): number {
  const replicas = objectAt(scale, 'spec')['replicas'] ?? 0
  if (typeof replicas === 'number' && replicas >= 0) return replicas
  const message = `Invalid value: ${String(replicas)}: must be greater than or equal to 0`
  throw invalid(definition, name, [{ reason: 'FieldValueInvalid', message, field: 'spec.replicas' }])
}
