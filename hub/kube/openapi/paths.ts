import type { Json, JsonObject } from '../../../schemas/index.ts'
import { subresourcesOf, verbsOf } from '../discovery/index.ts'
import type { ResourceDefinition, Subresource } from '../resource.ts'
import { actionComponent, componentName, DELETE_OPTIONS, gvk, PATCH, STATUS } from './components.ts'
import { connectPaths } from './connects.ts'
import { operationId, pathParameter, query, tag } from './operations.ts'
import { REF } from './structures.ts'

const PATCH_TYPES = ['application/json-patch+json', 'application/merge-patch+json']
const STRATEGIC = 'application/strategic-merge-patch+json'
const APPLY = 'application/apply-patch+yaml'
const ANSWERS = ['application/json', 'application/yaml']
const METHODS = { get: 'get', update: 'put', patch: 'patch', create: 'post' } as const
const CODES = { get: [200], update: [200, 201], patch: [200, 201], create: [200, 201, 202] } as const
const WORDS = { get: 'read', update: 'replace', patch: 'patch', create: 'create' } as const
/** Kinds whose deletion is answered with the object. */
const ANSWERED_WITH_OBJECT: ReadonlySet<string> = new Set(['Pod', 'Service', 'ServiceAccount'])

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
]
const watching = [
  query('watch', 'Answer with changes as they happen.', 'boolean'),
  query('allowWatchBookmarks', 'A watch says how far it is.', 'boolean'),
]
const deleting = [
  dryRun,
  query('gracePeriodSeconds', 'How long the object may take to end.', 'integer'),
  query('orphanDependents', 'Objects that this one owns stay; propagationPolicy says it better.', 'boolean'),
  query('propagationPolicy', 'What becomes of objects that this one owns.'),
]

/** `paths` of one kind. `root` is `/api/v1` or `/apis/<group>/<version>`. */
export function pathsOf(definition: ResourceDefinition, root: string): JsonObject {
  const { plural, namespaced } = definition
  const verbs = verbsOf(definition)
  const base = namespaced ? `${root}/namespaces/{namespace}/${plural}` : `${root}/${plural}`
  const place = namespaced ? [pathParameter('namespace'), pretty] : [pretty]
  const one = [pathParameter('name'), ...place]
  const paths: Record<string, JsonObject> = {}
  if (namespaced && verbs.includes('list')) {
    paths[`${root}/${plural}`] = {
      get: listOperation(definition, 'ForAllNamespaces'),
      parameters: [pretty, ...listing, ...watching],
    }
  }
  paths[base] = { ...collection(definition, verbs), parameters: place }
  if (verbs.includes('get')) paths[`${base}/{name}`] = { ...single(definition, verbs), parameters: one }
  for (const part of subresourcesOf(definition)) {
    const connect = definition.connects?.find(({ subresource }) => subresource === part.name)
    if (connect) {
      Object.assign(paths, connectPaths(definition, connect, `${base}/{name}/${part.name}`, one))
      continue
    }
    paths[`${base}/{name}/${part.name}`] = { ...partOperations(definition, part), parameters: one }
  }
  return paths
}

function collection(definition: ResourceDefinition, verbs: readonly string[]): JsonObject {
  const all = [...deleting, ...listing]
  const options = deleteBody()
  return {
    ...(verbs.includes('list')
      ? { get: { ...listOperation(definition, ''), parameters: [...listing, ...watching] } }
      : {}),
    ...(verbs.includes('create')
      ? { post: operation(definition, { verb: 'create', parameters: writing, body: body(componentName(definition)) }) }
      : {}),
    ...(verbs.includes('deletecollection')
      ? { delete: remove(definition, { action: 'deletecollection', parameters: all, body: options, answer: STATUS }) }
      : {}),
  }
}

function single(definition: ResourceDefinition, verbs: readonly string[]): JsonObject {
  const name = componentName(definition)
  const answer = ANSWERED_WITH_OBJECT.has(definition.kind) && !definition.custom ? name : STATUS
  if (!verbs.includes('update')) return { get: operation(definition, { verb: 'get' }) }
  return {
    get: operation(definition, { verb: 'get' }),
    put: operation(definition, { verb: 'update', parameters: writing, body: body(name) }),
    patch: operation(definition, { verb: 'patch', parameters: patching, body: patchBody(definition) }),
    delete: remove(definition, { action: 'delete', parameters: deleting, body: deleteBody(), answer }),
  }
}

function partOperations(definition: ResourceDefinition, part: Subresource): JsonObject {
  const isOwn = part.kind === definition.kind && part.group === definition.group
  const name = isOwn ? componentName(definition) : actionComponent(part.kind)
  const suffix = part.name.charAt(0).toUpperCase() + part.name.slice(1)
  const shared = { name, suffix, of: part }
  const all: Readonly<Record<string, JsonObject>> = {
    get: operation(definition, { verb: 'get', ...shared }),
    update: operation(definition, { verb: 'update', parameters: writing, body: body(name), ...shared }),
    patch: operation(definition, { verb: 'patch', parameters: patching, body: patchBody(definition), ...shared }),
    create: operation(definition, { verb: 'create', parameters: writing, body: body(name), ...shared }),
  }
  return Object.fromEntries(
    Object.entries(all)
      .filter(([verb]) => part.verbs.includes(verb))
      .map(([verb, value]) => [verb === 'update' ? 'put' : verb === 'create' ? 'post' : verb, value]),
  )
}

interface Done {
  readonly verb: keyof typeof METHODS
  readonly parameters?: readonly JsonObject[]
  readonly body?: JsonObject
  /** Of the component that comes back. */
  readonly name?: string
  readonly suffix?: string
  readonly of?: Pick<ResourceDefinition, 'group' | 'version' | 'kind'>
}

function operation(definition: ResourceDefinition, done: Done): JsonObject {
  const { verb, parameters, name = componentName(definition), suffix = '', of = definition } = done
  return {
    operationId: operationId(definition, WORDS[verb], suffix),
    tags: [tag(definition)],
    ...(parameters ? { parameters } : {}),
    ...(done.body ? { requestBody: done.body } : {}),
    responses: responses(name, CODES[verb]),
    'x-kubernetes-action': METHODS[verb],
    'x-kubernetes-group-version-kind': gvk(of),
  }
}

function listOperation(definition: ResourceDefinition, suffix: string): JsonObject {
  return {
    operationId: operationId(definition, 'list', suffix),
    tags: [tag(definition)],
    responses: responses(`${componentName(definition)}List`, [200]),
    'x-kubernetes-action': 'list',
    'x-kubernetes-group-version-kind': gvk(definition),
  }
}

interface Removal {
  readonly action: 'delete' | 'deletecollection'
  readonly parameters: readonly JsonObject[]
  readonly body: JsonObject
  readonly answer: string
}

function remove(definition: ResourceDefinition, { action, parameters, body: options, answer }: Removal): JsonObject {
  return {
    operationId: operationId(definition, 'delete', '', action === 'deletecollection' ? 'Collection' : ''),
    tags: [tag(definition)],
    parameters,
    requestBody: options,
    responses: responses(answer, action === 'delete' ? [200, 202] : [200]),
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': gvk(definition),
  }
}

function body(name: string): JsonObject {
  return { content: { '*/*': { schema: { $ref: REF + name } } }, required: true }
}

function deleteBody(): JsonObject {
  return { content: { '*/*': { schema: { $ref: REF + DELETE_OPTIONS } } } }
}

/** Strategic merge patches need the built-in schemas. */
function patchBody({ custom }: ResourceDefinition): JsonObject {
  const types = [APPLY, ...PATCH_TYPES, ...(custom ? [] : [STRATEGIC])]
  const content = types.map((type): readonly [string, Json] => [type, { schema: { $ref: REF + PATCH } }])
  return { content: Object.fromEntries(content), required: true }
}

function responses(name: string, codes: readonly number[]): JsonObject {
  const schema = { $ref: REF + name }
  const content = Object.fromEntries(ANSWERS.map((type): readonly [string, Json] => [type, { schema }]))
  const answers = codes.map((code): readonly [string, Json] => [String(code), { description: said(code), content }])
  return { ...Object.fromEntries(answers), '401': { description: 'Unauthorized' } }
}

function said(code: number): string {
  return code === 201 ? 'Created' : code === 202 ? 'Accepted' : 'OK'
}
