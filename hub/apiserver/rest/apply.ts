import type { JsonObject } from '../../../schemas/index.ts'
import {
  type Applied,
  appliedError,
  applyConfiguration,
  type Conflict,
  conflictText,
  decodeManagers,
  encodeManagers,
  managerText,
  pathText,
  withLastApplied,
} from '../../kube/fields/index.ts'
import { isJsonObject, nameOf, namespaceOf, uidOf, withMetadata } from '../../kube/object/index.ts'
import type { ApiObject, ResourceDefinition } from '../../kube/resource.ts'
import { rootSchema } from '../../kube/schema/index.ts'
import { badRequest, conflict, failure, notFound, StatusError, unreasoned } from '../../kube/status.ts'
import { apiVersionOf, keyOf, resourceOf } from '../../serving/objects/registry.ts'
import { type Body, decodeApplied } from '../../serving/requests/body.ts'
import { checkName, placed } from './checks.ts'
import type { ApiContext, Change } from './context.ts'
import { createObject } from './create.ts'
import { converterOf, excludedFields, withManagedFields, writerOf } from './managed-fields.ts'
import { type Target, updateObject } from './update.ts'

/** A configuration that somebody applies by his own name. */
export interface ApplyRequest {
  readonly config: ApiObject
  /** Takes over what others own. */
  readonly force: boolean
  /** Throws a Status where the client may change objects but not make them. */
  readonly mayCreate: () => void
}

export interface AppliedObject {
  readonly object: ApiObject
  readonly isNew: boolean
}

/** An object can come and go between the look and the write. */
const MOST_TRIES = 5
const APPLY_TYPE = 'application/apply-patch+yaml'

export function isApply(mediaType: string): boolean {
  return mediaType === APPLY_TYPE
}

/** What a client applies to one kind of object. Throws a Status. */
export function configOf(definition: ResourceDefinition, body: Body, change: Change): ApiObject {
  const { value, duplicates } = decodeApplied(body)
  tellDuplicates(change, duplicates)
  const metadata = isJsonObject(value['metadata']) ? value['metadata'] : {}
  const [apiVersion, kind] = [textOf(value['apiVersion']), textOf(value['kind'])]
  if (apiVersion !== apiVersionOf(definition) || kind !== definition.kind) {
    throw badRequest(`invalid object type: ${apiVersion.includes('/') ? '' : '/'}${apiVersion}, Kind=${kind}`)
  }
  const { managedFields } = metadata
  if (managedFields !== undefined && managedFields !== null) throw badRequest('metadata.managedFields must be nil')
  return { ...value, apiVersion, kind, metadata }
}

function tellDuplicates({ fieldValidation, warn }: Change, duplicates: readonly string[]): void {
  if (duplicates.length === 0 || fieldValidation === 'Ignore') return
  if (fieldValidation === 'Strict') {
    const list = duplicates.map((text) => `\n  ${text}`).join('')
    throw badRequest(`error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:${list}`)
  }
  for (const text of duplicates) warn(text)
}

/** Lays a configuration over an object, or makes the object of it; durable when this resolves (never with dryRun). Throws a Status. */
export async function applyObject(
  api: ApiContext,
  change: Change,
  target: Target,
  request: ApplyRequest,
): Promise<AppliedObject> {
  const { definition, namespace } = change
  const key = keyOf(namespace, target.name)
  for (let tries = 1; ; tries++) {
    const isThere = api.store.get(resourceOf(definition), key) !== undefined
    try {
      if (isThere) return { object: await applyTo(api, change, target, request), isNew: false }
      if (target.subresource !== '') throw notFound(definition, target.name)
      return { object: await makeOf(api, change, target, request), isNew: true }
    } catch (error) {
      const isOvertaken = (api.store.get(resourceOf(definition), key) !== undefined) !== isThere
      if (!isOvertaken || !isLate(error) || tries >= MOST_TRIES) throw error
    }
  }
}

function isLate(error: unknown): boolean {
  if (!(error instanceof StatusError)) return false
  return error.status.reason === 'NotFound' || error.status.reason === 'AlreadyExists'
}

async function applyTo(api: ApiContext, change: Change, target: Target, request: ApplyRequest): Promise<ApiObject> {
  const propose = async (current: ApiObject) => {
    const config = placed(change, request.config)
    checkName(config, target.name)
    return withOwners(await laidOver(api, change, target.subresource, request, current), change, config)
  }
  return await updateObject(api, change, target, { propose, isApplied: true })
}

async function makeOf(api: ApiContext, change: Change, { name }: Target, request: ApplyRequest): Promise<ApiObject> {
  request.mayCreate()
  const { definition } = change
  const config = placed(change, request.config)
  if (nameOf(config) === '') {
    const why = 'name must be provided'
    throw badRequest(`the name of the object (${name} based on URL) was undeterminable: ${why}`)
  }
  checkName(config, name)
  if (uidOf(config) !== '') {
    const why = `uid mismatch: the provided object specified uid ${uidOf(config)}, and no existing object was found`
    throw conflict(definition, name, why)
  }
  const nothing = { apiVersion: apiVersionOf(definition), kind: definition.kind, metadata: {} }
  // A version of an object that is not there is no version of it.
  const fresh = withMetadata(config, { resourceVersion: undefined })
  const applied = await laidOver(api, change, '', { ...request, config: fresh }, nothing)
  return await createObject(api, change, withOwners(applied, change, config), { isApplied: true })
}

/** Throws a Status, also for conflicts. */
async function laidOver(
  api: ApiContext,
  change: Change,
  subresource: string,
  { config, force }: ApplyRequest,
  current: ApiObject,
): Promise<Applied> {
  const { definition, manager } = change
  const schema = rootSchema(definition.schema)
  const wrong = appliedError(schema, config)
  if (wrong !== undefined) throw untyped(definition, config, wrong)
  const applied = await applyConfiguration({
    live: { schema, object: current },
    config,
    apiVersion: apiVersionOf(definition),
    managers: decodeManagers(current.metadata['managedFields']) ?? new Map(),
    writer: writerOf(api, manager, subresource),
    force,
    excluded: excludedFields(definition, subresource),
    convert: converterOf(api, change),
  })
  if (applied.conflicts.length > 0) throw conflicting(applied.conflicts)
  return applied
}

/** kubectl's own name is the one that stands for its older way to apply, too. */
function withOwners({ object, managers }: Applied, { manager }: Change, config: ApiObject): ApiObject {
  const shown = manager === 'kubectl' ? withLastApplied(object, config) : object
  return withManagedFields(shown, encodeManagers(managers))
}

function conflicting(conflicts: readonly Conflict[]): StatusError {
  const causes = conflicts.map(({ manager, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${managerText(manager)}`,
    field: pathText(path),
  }))
  return failure(409, 'Conflict', conflictText(conflicts), { causes })
}

/** Kubernetes answers with 500 and no reason: the configuration is no object of its kind. */
function untyped({ group, version, kind }: ResourceDefinition, config: ApiObject, why: string): StatusError {
  const of = `${namespaceOf(config)}/${nameOf(config)}; ${group}/${version}, Kind=${kind}`
  return unreasoned(`failed to create typed patch object (${of}): ${why}`)
}

function textOf(value: JsonObject[string] | undefined): string {
  return typeof value === 'string' ? value : ''
}
