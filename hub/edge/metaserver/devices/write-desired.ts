import { seconds } from '../../../../platform/time/index.ts'
import { type DesiredAnswer, type Json, type JsonObject, setDesired } from '../../../../schemas/index.ts'
import { arrayAt, isJsonObject, objectAt, sameJson, textAt } from '../../../kube/object/index.ts'
import { applyMergePatch } from '../../../kube/patch/index.ts'
import { refusal } from '../../../kube/rbac/index.ts'
import type { ApiObject, ResourceDefinition } from '../../../kube/resource.ts'
import { forbidden, invalid, modified, notFound, unavailable } from '../../../kube/status.ts'
import type { Answer } from '../../../serving/answers/answer.ts'
import { parseMediaType } from '../../../serving/answers/negotiate.ts'
import { presentObject } from '../../../serving/answers/present.ts'
import { keyOf, resourceOf } from '../../../serving/objects/registry.ts'
import { decodeApplied, decodeObject } from '../../../serving/requests/body.ts'
import { writeOptions } from '../../../serving/requests/options.ts'
import { patchOf } from '../../../serving/requests/patch.ts'
import { isOperator } from '../access/rights.ts'
import { viewOf } from '../requests/cloud-answer.ts'
import { type NodeContext, type NodeRequest, offline, wireResource } from '../requests/node-request.ts'

/** Twins are stored before they answer. */
const WITHIN = seconds(10)
const APPLY = 'application/apply-patch+yaml'
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

/**
 * A change of desired values of a device that this node drives. Made here, as a wish of the edge, where the caller is a person of this node
 * or the cloud is away: what the cloud wishes next, or has wished meanwhile, is settled by the policy of the property. Undefined where
 * the cloud is to be asked. Throws a Status.
 */
export async function writeDesired(
  context: NodeContext,
  request: NodeRequest,
  definition: ResourceDefinition,
): Promise<Answer | undefined> {
  const { applications, rights, store, clock } = context
  const { user, attributes, path, verb, url, userAgent } = request
  const isOwn = isOperator(user)
  if (applications.isConnected && !isOwn) return undefined
  const decision = rights.decide(user, attributes)
  if (!decision?.allowed) throw refusal(user, attributes, decision?.reason ?? 'its rights are not known on this node')
  const key = keyOf(path.namespace, path.name)
  const current = store.get(resourceOf(definition), key)
  if (!current) throw notFound(definition, path.name)
  const { dryRun } = writeOptions(url.searchParams, userAgent, verb === 'update' ? 'UpdateOptions' : 'PatchOptions')
  const next = await proposed(request, definition, current)
  const version = textAt(next.metadata, 'resourceVersion')
  if (version !== '' && version !== textAt(current.metadata, 'resourceVersion')) throw modified(definition, path.name)
  const values = changedValues(current, next)
  if (!values) {
    const why = isOwn
      ? 'on this node only desired values (spec.properties[].desired) can be changed: change the rest in the cluster'
      : 'only desired values (spec.properties[].desired) can be changed until it is back'
    throw isOwn ? forbidden(definition, path.name, why) : offline(why)
  }
  if (Object.keys(values).length > 0 && !dryRun) {
    const wanted = { id: key, values, author: `user:${user.name}` }
    settled(definition, path.name, await context.bus.request(setDesired, wanted, { deadline: WITHIN }))
    context.refresh(wireResource(definition, path.namespace, path.name))
  }
  const shown = dryRun ? next : (store.get(resourceOf(definition), key) ?? current)
  return presentObject(viewOf(request, shown, clock.now()), shown)
}

async function proposed(request: NodeRequest, definition: ResourceDefinition, current: ApiObject): Promise<ApiObject> {
  const body = await request.body()
  if (request.verb === 'update') return decodeObject(body, definition)
  if (parseMediaType(body.type).type !== APPLY) return patchOf(definition, body)(current)
  return applied(current, decodeApplied(body).value)
}

/** What is applied stands beside what is there; `properties` is a list by name. */
function applied(current: ApiObject, { spec, ...others }: JsonObject): ApiObject {
  const wanted = isJsonObject(spec) ? spec : {}
  const { properties: _own, ...rest } = wanted
  const byName = new Map(
    arrayAt(wanted, 'properties')
      .filter(isJsonObject)
      .map((each) => [textAt(each, 'name'), each]),
  )
  const known = arrayAt(objectAt(current, 'spec'), 'properties')
  const properties = known.map((each) => {
    const given = isJsonObject(each) ? byName.get(textAt(each, 'name')) : undefined
    return isJsonObject(each) && given ? applyMergePatch(each, given) : each
  })
  const names = new Set(known.filter(isJsonObject).map((each) => textAt(each, 'name')))
  const added = [...byName].filter(([name]) => !names.has(name)).map(([, each]) => each)
  const { metadata: _metadata, ...named } = others
  return {
    ...current,
    ...plainly(applyMergePatch({}, named)),
    spec: { ...objectAt(current, 'spec'), ...rest, properties: [...properties, ...added] },
  }
}

function plainly(value: Json): JsonObject {
  return isJsonObject(value) ? value : {}
}

/** Desired values that differ, by property; undefined where anything else does. */
function changedValues(current: ApiObject, next: ApiObject): Readonly<Record<string, string>> | undefined {
  const [before, after] = [objectAt(current, 'spec'), objectAt(next, 'spec')]
  if (!sameJson(without(before), without(after)) || !isSameObject(current, next)) return undefined
  const old = arrayAt(before, 'properties').filter(isJsonObject)
  const now = arrayAt(after, 'properties').filter(isJsonObject)
  if (old.length !== now.length) return undefined
  const values: Record<string, string> = {}
  for (const [index, property] of now.entries()) {
    const was = old[index] ?? {}
    const { desired: wanted, ...rest } = property
    const { desired: wished, ...known } = was
    if (!sameJson(rest, known)) return undefined
    const value = isJsonObject(wanted) ? wanted['value'] : undefined
    const had = isJsonObject(wished) ? wished['value'] : undefined
    if (value === had) continue
    // A wish is not taken back, it is followed by another.
    if (typeof value !== 'string') return undefined
    values[textAt(property, 'name')] = value
  }
  return values
}

function without({ properties: _properties, ...rest }: JsonObject): JsonObject {
  return rest
}

/** Labels and annotations are the cloud's; what a client's cache has of the rest is no change. */
function isSameObject(current: ApiObject, next: ApiObject): boolean {
  return ['labels', 'annotations', 'finalizers'].every((field) => {
    return sameJson(noted(current, field), noted(next, field))
  })
}

/** Without the note that `kubectl apply` makes for itself. */
function noted({ metadata }: ApiObject, field: string): Json {
  const value = metadata[field] ?? {}
  if (!isJsonObject(value)) return value
  const { [LAST_APPLIED]: _note, ...others } = value
  return others
}

function settled(definition: ResourceDefinition, name: string, answer: DesiredAnswer): void {
  if (answer.ok) return
  if (answer.code === 404) throw notFound(definition, name)
  if (answer.code === 500) throw unavailable(answer.reason)
  throw invalid(definition, name, [
    { reason: 'FieldValueInvalid', message: `Invalid value: ${answer.reason}`, field: 'spec.properties' },
  ])
}
