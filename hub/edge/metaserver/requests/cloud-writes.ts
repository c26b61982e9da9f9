import type { Json, JsonObject } from '../../../../schemas/index.ts'
import { isJsonObject, objectAt, textAt } from '../../../kube/object/index.ts'
import { refusal } from '../../../kube/rbac/index.ts'
import { badRequest, forbidden, modified } from '../../../kube/status.ts'
import type { Answer } from '../../../serving/answers/answer.ts'
import { parseMediaType } from '../../../serving/answers/negotiate.ts'
import { keyOf, resourceOf } from '../../../serving/objects/registry.ts'
import { type Body, decodeApplied, decodeJson, decodeObject, decodePatch } from '../../../serving/requests/body.ts'
import type { ApplicationAnswer, ApplicationRequest } from '../../applications/applications.ts'
import { isOperator } from '../access/rights.ts'
import { presentAnswer } from './cloud-answer.ts'
import { optionsOf, placeOf } from './cloud-place.ts'
import { type NodeContext, type NodeRequest, notHisOwn, wireResource } from './node-request.ts'
import { keepServices } from './node-services.ts'

const APPLY = 'application/apply-patch+yaml'

/** A change, made by the cloud in the name of the caller, never with the rights of node or cloud. Throws a Status. */
export async function writeToCloud(context: NodeContext, request: NodeRequest): Promise<Answer> {
  const { applications, clock } = context
  const { path, verb, url, token, signal } = request
  if (token === undefined) throw notHisOwn(request)
  if (verb === 'get' || verb === 'list' || verb === 'watch') throw badRequest('a change was expected')
  decideForOriginal(context, request)
  const body = await bodyOf(context, request)
  const application: ApplicationRequest = {
    ...{ verb, at: placeOf(path), options: optionsOf(url.searchParams), token },
    ...(path.subresource === '' ? {} : { subresource: path.subresource }),
    ...body,
  }
  const answer = await keptAnswer(context, request, () => applications.ask(application, signal))
  await keepServices(context, request, answer)
  context.noticed(path, false, answer.code)
  return presentAnswer(request, answer, clock.now())
}

/** A cloud of KubeEdge asks with rights of its own: what a caller may do is decided here, by what is known here. Throws a Status. */
export function decideForOriginal({ applications, rights }: NodeContext, request: NodeRequest): void {
  if (applications.peer !== 'kubeedge') return
  const { user, attributes, path } = request
  if (isOperator(user)) {
    throw forbidden(
      path,
      path.name,
      'this node does not hold it, and its cloud asks with rights that are not those of the node',
    )
  }
  const decision = rights.decide(user, attributes)
  if (!decision?.allowed) throw refusal(user, attributes, decision?.reason ?? 'its rights are not known on this node')
}

async function bodyOf(
  context: NodeContext,
  request: NodeRequest,
): Promise<Pick<ApplicationRequest, 'body' | 'patchType'>> {
  const body = await request.body()
  if (body.bytes.length === 0) return {}
  if (request.verb === 'patch') {
    const patchType = parseMediaType(body.type).type
    return { patchType, body: withCloudVersion(context, request, patchIn(body, patchType)) }
  }
  if (request.verb === 'delete' || request.verb === 'deletecollection') {
    const options = decodeJson(inJson(body))
    return { body: isJsonObject(options) ? preconditions(context, request, options) : options }
  }
  const { definition, path } = request
  const object = decodeObject(body, path.subresource === '' || path.subresource === 'status' ? definition : undefined)
  return { body: withCloudVersion(context, request, object) }
}

function patchIn(body: Body, type: string): Json {
  return type === APPLY ? decodeApplied(body).value : decodePatch(body, '')
}

/** kubectl sends the options of a deletion as JSON, some clients in protobuf. */
function inJson(body: Body): Body {
  if (parseMediaType(body.type).type !== 'application/vnd.kubernetes.protobuf') return body
  return { type: 'application/json', bytes: Buffer.from(JSON.stringify(decodeObject(body))) }
}

/** A client names the version that it has seen here; the cloud knows it under another one. */
function withCloudVersion(context: NodeContext, request: NodeRequest, value: Json): Json {
  if (!isJsonObject(value)) return value
  const metadata = objectAt(value, 'metadata')
  const version = textAt(metadata, 'resourceVersion')
  const inCloud = version === '' ? '' : cloudVersion(context, request, version)
  return inCloud === version ? value : { ...value, metadata: { ...metadata, resourceVersion: inCloud } }
}

function preconditions(context: NodeContext, request: NodeRequest, options: JsonObject): JsonObject {
  const given = objectAt(options, 'preconditions')
  const version = textAt(given, 'resourceVersion')
  if (version === '') return options
  return { ...options, preconditions: { ...given, resourceVersion: cloudVersion(context, request, version) } }
}

/** Throws a Conflict where the object is not as the client has seen it. */
function cloudVersion({ store, meta }: NodeContext, request: NodeRequest, version: string): string {
  const { definition, path } = request
  if (!definition) return version
  const shown = store.get(resourceOf(definition), keyOf(path.namespace, path.name))
  if (!shown) return version
  if (textAt(shown.metadata, 'resourceVersion') !== version) throw modified(definition, path.name)
  return meta.held(wireResource(definition, path.namespace, path.name))?.version ?? version
}

/** What the cloud answers of an object that this node holds is known here from then on: the client finds what it wrote. */
async function keptAnswer(
  { meta, store, log }: NodeContext,
  { definition, path, verb, url }: NodeRequest,
  ask: () => Promise<ApplicationAnswer>,
): Promise<ApplicationAnswer> {
  const resource = definition && wireResource(definition, path.namespace, path.name)
  const isHeld = resource !== undefined && meta.held(resource) !== undefined
  const isTried = url.searchParams.has('dryRun')
  if (!isHeld || isTried || !definition || (verb !== 'update' && verb !== 'patch')) return await ask()
  const expected = meta.expect(resource)
  try {
    const answer = await ask()
    const { code, object } = answer
    if (code !== 200 || !object || textAt(object, 'kind') !== definition.kind) return answer
    const header = { msg_id: '', timestamp: 0 }
    await meta.remember(expected, { header, route: {}, content: object })
    const shown = store.get(resourceOf(definition), keyOf(path.namespace, path.name))
    return shown ? { code, object: shown } : answer
  } catch (error) {
    log.debug('A change of an object was not kept', { resource, error })
    throw error
  } finally {
    meta.forgo(expected)
  }
}
