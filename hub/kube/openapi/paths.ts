import type { Json, JsonObject } from '../../../schemas/index.ts'
import { verbsOf } from '../discovery/index.ts'
import type { ResourceDefinition } from '../resource.ts'
import { componentName, DELETE_OPTIONS, gvk, REF } from './components.ts'

const PATCH_TYPES = ['application/json-patch+json', 'application/merge-patch+json']
const STRATEGIC = 'application/strategic-merge-patch+json'
const APPLY = 'application/apply-patch+yaml'

const dryRun = query('dryRun', 'All: do everything but keep the result.')
const fieldManager = query('fieldManager', 'Name of who makes the change.')
const fieldValidation = query(
  'fieldValidation',
  'Ignore, Warn or Strict: what becomes of unknown and duplicate fields.',
)
const pretty = query('pretty', 'Indent the answer.')
const writing = [dryRun, fieldManager, fieldValidation]
const force = query('force', 'An apply takes over fields that others own.', 'boolean')
const patching = [...writing, force]
const listing = [
  query('continue', 'Where an earlier list with a limit ended.'),
  query('fieldSelector', 'Which objects, by their fields.'),
  query('labelSelector', 'Which objects, by their labels.'),
  query('limit', 'At most so many objects.', 'integer'),
  query('resourceVersion', 'How recent the answer has to be.'),
  query('resourceVersionMatch', 'How the resourceVersion is meant.'),
  query('sendInitialEvents', 'A watch begins with what there is.', 'boolean'),
  query('timeoutSeconds', 'How long a watch lasts.', 'integer'),
  query('watch', 'Answer with changes as they happen.', 'boolean'),
  query('allowWatchBookmarks', 'A watch says how far it is.', 'boolean'),
]
const deleting = [
  dryRun,
  query('gracePeriodSeconds', 'How long the object may take to end.', 'integer'),
  query('propagationPolicy', 'What becomes of objects that this one owns.'),
]

/** `paths` of one kind. `root` is `/api/v1` or `/apis/<group>/<version>`. */
export function pathsOf(definition: ResourceDefinition, root: string): JsonObject {
  const { plural, namespaced } = definition
  const base = namespaced ? `${root}/namespaces/{namespace}/${plural}` : `${root}/${plural}`
  const place = namespaced ? [pathParameter('namespace'), pretty] : [pretty]
  const one = [pathParameter('name'), ...place]
  return {
    ...(namespaced
      ? { [`${root}/${plural}`]: { get: listOperation(definition, 'ForAllNamespaces'), parameters: [pretty] } }
      : {}),
    [base]: { ...collection(definition), parameters: place },
    [`${base}/{name}`]: { ...single(definition), parameters: one },
    ...Object.fromEntries(
      writtenParts(definition).map((part) => [
        `${base}/{name}/${part}`,
        { ...partOperations(definition, part), parameters: one },
      ]),
    ),
  }
}

function collection(definition: ResourceDefinition): JsonObject {
  const canDeleteAll = verbsOf(definition).includes('deletecollection')
  return {
    get: listOperation(definition, ''),
    post: operation(definition, 'post', 'create', writing, body(definition), [200, 201, 202]),
    ...(canDeleteAll
      ? {
          delete: operation(
            definition,
            'deletecollection',
            'deleteCollection',
            [...deleting, ...listing],
            deleteBody(),
            [200],
          ),
        }
      : {}),
  }
}

function single(definition: ResourceDefinition): JsonObject {
  return {
    get: operation(definition, 'get', 'read', [], undefined, [200]),
    put: operation(definition, 'put', 'replace', writing, body(definition), [200, 201]),
    patch: operation(definition, 'patch', 'patch', patching, patchBody(definition), [200, 201]),
    delete: operation(definition, 'delete', 'delete', deleting, deleteBody(), [200, 202]),
  }
}

/** Subresources that take and answer with the object itself. */
function writtenParts({ parts = [], statusSubresource }: ResourceDefinition): readonly string[] {
  return statusSubresource ? [...parts, 'status'] : parts
}

function partOperations(definition: ResourceDefinition, part: string): JsonObject {
  const suffix = part.charAt(0).toUpperCase() + part.slice(1)
  return {
    get: operation(definition, 'get', 'read', [], undefined, [200], suffix),
    put: operation(definition, 'put', 'replace', writing, body(definition), [200, 201], suffix),
    patch: operation(definition, 'patch', 'patch', patching, patchBody(definition), [200, 201], suffix),
  }
}

function listOperation(definition: ResourceDefinition, suffix: string): JsonObject {
  const schema = `${componentName(definition)}List`
  return {
    ...operation(definition, 'list', 'list', listing, undefined, [200], suffix),
    responses: responses(schema, [200]),
  }
}

function operation(
  definition: ResourceDefinition,
  action: string,
  verb: string,
  parameters: readonly JsonObject[],
  requestBody: JsonObject | undefined,
  codes: readonly number[],
  suffix = '',
): JsonObject {
  const { namespaced, kind } = definition
  const scope = namespaced && suffix !== 'ForAllNamespaces' ? 'Namespaced' : ''
  return {
    operationId: `${verb}${groupPart(definition)}${scope}${kind}${suffix}`,
    tags: [groupPart(definition)],
    parameters,
    ...(requestBody ? { requestBody } : {}),
    responses: responses(componentName(definition), codes),
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': gvk(definition),
  }
}

function body(definition: ResourceDefinition): JsonObject {
  const schema = { $ref: REF + componentName(definition) }
  return { content: { 'application/json': { schema }, 'application/yaml': { schema } }, required: true }
}

function deleteBody(): JsonObject {
  return { content: { 'application/json': { schema: { $ref: REF + DELETE_OPTIONS } } } }
}

/** Strategic merge patches need the built-in schemas. */
function patchBody({ custom }: ResourceDefinition): JsonObject {
  const types = [APPLY, ...PATCH_TYPES, ...(custom ? [] : [STRATEGIC])]
  const content = Object.fromEntries(
    types.map((type): readonly [string, Json] => [type, { schema: { type: 'object' } }]),
  )
  return { content, required: true }
}

function responses(schema: string, codes: readonly number[]): JsonObject {
  const content = { 'application/json': { schema: { $ref: REF + schema } } }
  return Object.fromEntries(
    codes.map((code): readonly [string, Json] => [String(code), { description: 'OK', content }]),
  )
}

function query(name: string, description: string, type = 'string'): JsonObject {
  return { name, in: 'query', description, schema: { type, uniqueItems: true } }
}

function pathParameter(name: string): JsonObject {
  return { name, in: 'path', required: true, schema: { type: 'string', uniqueItems: true } }
}

/** `CoreV1`, `DevicesKubeedgeIoV1beta1`. */
function groupPart({ group, version }: ResourceDefinition): string {
  return [...(group === '' ? ['core'] : group.replace(/\.k8s\.io$/, '').split('.')), version]
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join('')
}
