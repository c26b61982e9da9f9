import { type Attributes, refusal } from '../../../kube/rbac/index.ts'
import type { ResourceDefinition } from '../../../kube/resource.ts'
import { expired, methodNotAllowed, notFound, unknownPath } from '../../../kube/status.ts'
import type { Reply } from '../../../serving/answers/answer.ts'
import { negotiate } from '../../../serving/answers/negotiate.ts'
import { includeOf, presentObject, type View } from '../../../serving/answers/present.ts'
import { presentList } from '../../../serving/answers/present-list.ts'
import { keyOf, resourceOf } from '../../../serving/objects/registry.ts'
import { checkReached, listObjects } from '../../../serving/reading/list.ts'
import { listOptions, parseVersion } from '../../../serving/reading/list-options.ts'
import { converted } from '../../../serving/reading/versions.ts'
import { watchObjects } from '../../../serving/reading/watch.ts'
import { attributesOf } from '../../../serving/requests/request-attributes.ts'
import type { AskedResource } from '../../../serving/requests/resource-request.ts'
import { isOperator } from '../access/rights.ts'
import { writeDesired } from '../devices/write-desired.ts'
import { hasCopy, readFromCloud, watchCloud } from './cloud-reads.ts'
import { writeToCloud } from './cloud-writes.ts'
import { type NodeContext, type NodeRequest, offline } from './node-request.ts'
import { isOfServices, knownOf, partly } from './node-services.ts'
import { whileWhole } from './while-whole.ts'

/** Of these a node gets what belongs to it, so that a list of them is answered here, also an empty one. */
const OF_THE_NODE: ReadonlySet<string> = new Set([
  '/pods',
  '/configmaps',
  '/secrets',
  '/nodes',
  'devices.kubeedge.io/devices',
  'devices.kubeedge.io/devicemodels',
])
/** Of these it gets what its pods use, which need not be all that a client means. */
const USED_BY_PODS: ReadonlySet<string> = new Set(['/configmaps', '/secrets'])
const READS: ReadonlySet<string> = new Set(['get', 'list', 'watch'])
const DEVICES = 'devices.kubeedge.io/devices'

/**
 * Answers what is asked of objects: what this node holds from its own store, whatever becomes of the cloud; anything else by the cloud, in
 * the caller's own name. Throws a Status.
 */
export function serveNode(context: NodeContext): (asked: AskedResource) => Promise<Reply> {
  return async (asked) => {
    const { path, verb, url } = asked
    if (!verb) throw methodNotAllowed()
    const definition = context.kinds.registry.find(path.group, path.version, path.plural)
    if (definition && path.namespace !== '' && !definition.namespaced) throw unknownPath()
    const attributes = attributesOf(url, verb, path)
    // What makes somebody an operator of this node is no business of the cloud.
    const token = isOperator(asked.user) ? undefined : asked.token
    const request: NodeRequest = { ...asked, token, verb, definition, attributes }
    if (!READS.has(verb)) return await write(context, request)
    if (!definition || !isHeld(context, request, definition)) return await ask(context, request)
    if (isPart(context, request, definition)) request.warn(partly(context, definition, path.namespace))
    const allowed = decide(context, request)
    if (allowed === undefined) return await ask(context, request)
    return await read(context, request, definition)
  }
}

/** Undefined where only the cloud knows the rights of the caller. Throws a Status where they are known not to suffice. */
function decide({ rights, applications }: NodeContext, { user, attributes, token }: NodeRequest): true | undefined {
  const decision = rights.decide(user, attributes)
  if (decision?.allowed) return true
  if (decision) throw refusal(user, attributes, decision.reason)
  if (token !== undefined && applications.isConnected) return undefined
  throw refusal(user, attributes, 'its rights are not known on this node, and the cloud is not connected')
}

/** Throws Expired for a version that no cluster has. */
function ask(context: NodeContext, request: NodeRequest): Promise<Reply> | Reply {
  if (request.verb !== 'get' && isOfThisNode(request)) throw listAgain(request)
  return request.verb === 'watch' ? watchCloud(context, request) : readFromCloud(context, request)
}

/** Whether this node is the one to ask. A client that goes on from a version of this node is not sent elsewhere. */
function isHeld(context: NodeContext, request: NodeRequest, definition: ResourceDefinition): boolean {
  const { store } = context
  const { path, verb, attributes } = request
  const resource = resourceOf(definition)
  if (path.subresource !== '' && path.subresource !== 'status') return false
  if (isOfServices(definition)) return isHeldService(context, request, definition)
  if (verb === 'get') return store.get(resource, keyOf(path.namespace, path.name)) !== undefined
  if (!OF_THE_NODE.has(resource)) return store.holds(resource)
  const name = nameIn(attributes)
  if (name === '' || !USED_BY_PODS.has(resource)) return true
  return store.get(resource, keyOf(path.namespace, name)) !== undefined || isOfThisNode(request)
}

/**
 * The list of a namespace is this node's where it has all of it, online as offline; any other one is that of the cloud. While the cloud is
 * away, and the caller has no copy of its answer, what is here is all that can be told. Throws Expired for who began with that, and would
 * go on with it beside the cloud.
 */
function isHeldService(context: NodeContext, request: NodeRequest, definition: ResourceDefinition): boolean {
  const { store, applications } = context
  const { path, verb } = request
  const known = knownOf(context, definition, path.namespace)
  if (verb === 'get') {
    const isHere = store.get(resourceOf(definition), keyOf(path.namespace, path.name)) !== undefined
    return isHere || (known === 'whole' && !applications.isConnected)
  }
  if (known === 'whole') return true
  if (applications.isConnected) {
    if (isOfThisNode(request)) throw listAgain(request)
    return false
  }
  return isOfThisNode(request) || (known === 'part' && !hasCopy(context, request))
}

function listAgain({ path }: NodeRequest) {
  return expired(`this node has not all ${path.plural} that are meant: list them again`)
}

/** A list that may lack something. */
function isPart(context: NodeContext, { path, verb }: NodeRequest, definition: ResourceDefinition): boolean {
  return verb !== 'get' && isOfServices(definition) && knownOf(context, definition, path.namespace) !== 'whole'
}

function nameIn({ resource }: Attributes): string {
  return resource?.name ?? ''
}

/** Versions of this node are larger than any of a cluster. */
function isOfThisNode({ url }: NodeRequest): boolean {
  return Number(url.searchParams.get('resourceVersion') ?? 0) > SMALLEST_OF_NODE
}

/** Microseconds of a clock that stands in 1971; a cluster that makes a thousand changes a second needs a thousand years. */
const SMALLEST_OF_NODE = 31_536_000_000_000

async function read(context: NodeContext, request: NodeRequest, definition: ResourceDefinition): Promise<Reply> {
  const { path, url, accept, signal, verb } = request
  const { store, clock } = context
  const { searchParams: query } = url
  const view: View = { form: negotiate(accept), definition, include: includeOf(query), now: clock.now() }
  if (verb === 'watch') {
    const options = listOptions(query, definition, 'watch')
    const stream = watchObjects(context, () => ({ ...view, now: clock.now() }), path, options)
    return isOfServices(definition) ? whileWhole(context, definition, path.namespace, stream) : stream
  }
  if (verb === 'list') {
    const options = listOptions(query, definition, 'list')
    const { objects, metadata } = await listObjects(context, definition, path.namespace, options, signal)
    return presentList(view, objects, metadata)
  }
  const version = query.get('resourceVersion') ?? ''
  if (version !== '') checkReached(context, parseVersion(version, 'get'))
  const object = store.get(resourceOf(definition), keyOf(path.namespace, path.name))
  if (!object) throw notFound(definition, path.name)
  return presentObject(view, await converted(context, object, definition, signal))
}

async function write(context: NodeContext, request: NodeRequest): Promise<Reply> {
  const { definition, path, verb } = request
  const isChange = verb === 'update' || verb === 'patch'
  if (definition && resourceOf(definition) === DEVICES && isChange && path.subresource === '') {
    const written = await writeDesired(context, request, definition)
    if (written) return written
  }
  if (!context.applications.isConnected) throw away(request)
  return await writeToCloud(context, request)
}

function away({ path, verb }: NodeRequest) {
  return offline(
    `${verb} of ${path.plural} needs it, and nothing was changed. What this node holds can be read, and desired values of its devices can be changed`,
  )
}
