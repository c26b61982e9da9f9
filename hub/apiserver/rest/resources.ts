import { subresourcesOf } from '../../kube/discovery/index.ts'
import { nameOf } from '../../kube/object/index.ts'
import { SCALE } from '../../kube/scale/scale.ts'
import { duplicateFields } from '../../kube/schema/index.ts'
import { badRequest, methodNotAllowed, notFound, StatusError, success, unknownPath } from '../../kube/status.ts'
import type { Reply } from '../../serving/answers/answer.ts'
import { statusAnswer } from '../../serving/answers/answer.ts'
import { type Form, negotiate, parseMediaType } from '../../serving/answers/negotiate.ts'
import { includeOf, presentObject, type View } from '../../serving/answers/present.ts'
import { presentList } from '../../serving/answers/present-list.ts'
import { keyOf, resourceOf } from '../../serving/objects/registry.ts'
import { checkReached, listObjects } from '../../serving/reading/list.ts'
import { listOptions, parseVersion } from '../../serving/reading/list-options.ts'
import { converted } from '../../serving/reading/versions.ts'
import { watchObjects } from '../../serving/reading/watch.ts'
import { type Body, decodeObject } from '../../serving/requests/body.ts'
import { checkManager, managerOf } from '../../serving/requests/manager-name.ts'
import { flag, writeOptions } from '../../serving/requests/options.ts'
import { patchOf, shownPatch } from '../../serving/requests/patch.ts'
import type { ResourceRequest } from '../../serving/requests/resource-request.ts'
import { type AppliedObject, applyObject, configOf, isApply } from './apply.ts'
import { bindPod } from './bind.ts'
import type { ApiContext, Change } from './context.ts'
import { createObject } from './create.ts'
import { evictPod } from './evict.ts'
import { inLanes } from './in-lanes.ts'
import { answerQuestion, isQuestion } from './questions.ts'
import { removeObject } from './remove.ts'
import { removeBody, removeOptions } from './remove-options.ts'
import { applyScale, readScale, writeScale } from './scale.ts'
import { createToken } from './token-request.ts'
import { updateObject } from './update.ts'

/** Serves one request. Throws a Status. */
export async function serveResource(api: ApiContext, request: ResourceRequest): Promise<Reply> {
  checkPath(request)
  const { deprecationWarning } = request.definition
  if (deprecationWarning !== undefined) request.warn(deprecationWarning)
  const view = viewOf(api, request)
  switch (request.verb) {
    case 'get':
      return presentObject(view, isScale(request) ? await getScale(api, request) : await getObject(api, request))
    case 'list': {
      const options = listOptions(request.query, request.definition, 'list')
      const { definition, path, signal } = request
      const { objects, metadata } = await listObjects(api, definition, path.namespace, options, signal)
      return presentList(view, objects, metadata)
    }
    case 'watch': {
      const options = listOptions(request.query, request.definition, 'watch')
      return watchObjects(api, () => ({ ...view, now: api.clock.now() }), request.path, options)
    }
    case 'create':
      if (request.path.subresource !== '') return await act(api, request)
      if (isQuestion(request.definition)) return presentObject(view, await ask(api, request), 201)
      return presentObject(view, await create(api, request), 201)
    case 'update':
      return presentObject(view, await update(api, request))
    case 'patch': {
      const { object, isNew } = await patch(api, request)
      return presentObject(view, object, isNew ? 201 : 200)
    }
    case 'delete':
      return await remove(api, request, view)
    case 'deletecollection':
      return await removeCollection(api, request, view)
  }
}

function checkPath({ definition, path, verb }: ResourceRequest): void {
  if (path.namespace !== '' && !definition.namespaced) throw unknownPath()
  if (path.namespace === '' && definition.namespaced && verb !== 'list' && verb !== 'watch') {
    if (path.name === '') throw methodNotAllowed()
    throw badRequest('an empty namespace may not be set when a resource name is provided')
  }
  const { subresource } = path
  if (verb === 'deletecollection' && resourceOf(definition) === '/namespaces') throw methodNotAllowed()
  if (subresource === '') {
    if (definition.verbs && !definition.verbs.includes(verb)) throw methodNotAllowed()
    return
  }
  const isFinalize = subresource === 'finalize' && resourceOf(definition) === '/namespaces'
  const verbs = isFinalize ? ['update'] : subresourcesOf(definition).find(({ name }) => name === subresource)?.verbs
  if (!verbs) throw definition.custom ? notFound(definition, path.name) : unknownPath()
  if (!verbs.includes(verb)) throw methodNotAllowed()
}

function viewOf(api: ApiContext, request: ResourceRequest): View {
  const form: Form = negotiate(request.accept)
  const definition = isScale(request) ? SCALE : request.definition
  return { form, definition, include: includeOf(request.query), now: api.clock.now() }
}

function isScale({ path }: ResourceRequest): boolean {
  return path.subresource === 'scale'
}

function getScale(api: ApiContext, request: ResourceRequest) {
  return readScale(api, changeOf(request), request.path.name)
}

async function getObject(api: ApiContext, { definition, path, signal, query }: ResourceRequest) {
  const version = query.get('resourceVersion') ?? ''
  if (version !== '') checkReached(api, parseVersion(version, 'get'))
  const object = api.store.get(resourceOf(definition), keyOf(path.namespace, path.name))
  if (!object) throw notFound(definition, path.name)
  return await converted(api, object, definition, signal)
}

const OPTIONS = { create: 'CreateOptions', update: 'UpdateOptions', patch: 'PatchOptions' } as const

function changeOf(request: ResourceRequest): Change {
  const { definition, path, user, warn, signal, query, userAgent, verb } = request
  const kind = verb === 'update' || verb === 'patch' ? OPTIONS[verb] : OPTIONS.create
  return { definition, namespace: path.namespace, user, warn, signal, ...writeOptions(query, userAgent, kind) }
}

/** A removal writes nothing by itself: its options are its own. */
function removalOf(
  { definition, path, user, warn, signal, userAgent, query }: ResourceRequest,
  dryRun: boolean,
): Change {
  const manager = managerOf(query, userAgent)
  return { definition, namespace: path.namespace, user, warn, signal, dryRun, fieldValidation: 'Ignore', manager }
}

async function create(api: ApiContext, request: ResourceRequest) {
  checkManager(request.query, 'CreateOptions', false)
  const change = changeOf(request)
  const body = await request.body()
  const made = await createObject(api, change, decodeObject(body, change.definition), {
    duplicates: duplicatesOf(body),
  })
  request.onMade?.(nameOf(made))
  return made
}

async function ask(api: ApiContext, request: ResourceRequest) {
  const body = await request.body()
  return await answerQuestion(api, changeOf(request), decodeObject(body, request.definition), duplicatesOf(body))
}

/** The binding or eviction of a pod, or the token of a service account; nothing is kept of that itself. */
async function act(api: ApiContext, request: ResourceRequest): Promise<Reply> {
  const { path } = request
  const body = decodeObject(await request.body())
  if (path.subresource === 'token') {
    const made = createToken(api, changeOf(request), path.name, body)
    return { code: 201, type: 'application/json', text: JSON.stringify(made) }
  }
  if (path.subresource === 'binding') await bindPod(api, changeOf(request), path.name, body)
  else await evictPod(api, changeOf(request), path.name, body)
  return statusAnswer({ ...success(), code: 201 })
}

async function update(api: ApiContext, request: ResourceRequest) {
  checkManager(request.query, 'UpdateOptions', false)
  const change = changeOf(request)
  const body = await request.body()
  const object = decodeObject(body, isScale(request) ? SCALE : request.definition)
  if (isScale(request)) return await writeScale(api, change, request.path.name, () => object, duplicatesOf(body))
  return await updateObject(api, change, request.path, {
    propose: () => object,
    duplicates: duplicatesOf(body),
    isWhole: true,
  })
}

async function patch(api: ApiContext, request: ResourceRequest): Promise<AppliedObject> {
  const change = changeOf(request)
  const { path, definition, query } = request
  const body = await request.body()
  const isApplied = isApply(parseMediaType(body.type).type)
  checkManager(query, 'PatchOptions', isApplied)
  if (isApplied) return await apply(api, change, request, body)
  if (isScale(request)) {
    return { object: await writeScale(api, change, path.name, patchOf(SCALE, body)), isNew: false }
  }
  return {
    object: await updateObject(api, change, path, { propose: patchOf(definition, body), patch: shownPatch(body) }),
    isNew: false,
  }
}

async function apply(api: ApiContext, change: Change, request: ResourceRequest, body: Body): Promise<AppliedObject> {
  const { path, definition, query, mayCreate } = request
  const more = { force: flag(query.get('force')), mayCreate }
  if (!isScale(request))
    return await applyObject(api, change, path, { config: configOf(definition, body, change), ...more })
  const config = configOf(SCALE, body, change)
  return { object: await applyScale(api, change, path.name, { config, ...more }), isNew: false }
}

async function remove(api: ApiContext, request: ResourceRequest, view: View): Promise<Reply> {
  const { definition, path } = request
  const options = await optionsOf(request)
  const { object, isGone } = await removeObject(api, removalOf(request, options.dryRun), path.name, options)
  if (!isGone) return presentObject(view, object)
  const uid = object.metadata['uid']
  const { group, plural: kind } = definition
  const details = {
    name: path.name,
    ...(group === '' ? {} : { group }),
    kind,
    ...(typeof uid === 'string' ? { uid } : {}),
  }
  // This Status has no code in it, as upstream.
  const { code, ...status } = success(details)
  return { ...statusAnswer(success()), code, text: `${JSON.stringify(status)}\n` }
}

/** As in Kubernetes: one by one, and what is gone already is no failure. Answers with what there was. */
async function removeCollection(api: ApiContext, request: ResourceRequest, view: View): Promise<Reply> {
  const { definition, path, query, signal } = request
  const options = await optionsOf(request)
  const change = removalOf(request, options.dryRun)
  const selection = listOptions(query, definition, 'list')
  const { objects, metadata } = await listObjects(api, definition, path.namespace, selection, signal)
  await inLanes(objects, async (object) => {
    try {
      await removeObject(api, change, nameOf(object), options)
    } catch (error) {
      if (!(error instanceof StatusError) || error.status.reason !== 'NotFound') throw error
    }
  })
  return presentList({ ...view, form: { ...view.form, as: 'object' } }, objects, metadata)
}

async function optionsOf({ body, query, definition }: ResourceRequest) {
  return removeOptions(removeBody(await body(), query), definition)
}

function duplicatesOf({ type, bytes }: Body): readonly string[] {
  const media = parseMediaType(type).type
  return media === '' || media === 'application/json' ? duplicateFields(bytes.toString('utf8')) : []
}
