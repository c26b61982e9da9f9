import { isApiObject } from '../../../kube/object/index.ts'
import type { ApiObject } from '../../../kube/resource.ts'
import { methodNotAllowed } from '../../../kube/status.ts'
import type { Answer, SendEvent, Stream, StreamEvent } from '../../../serving/answers/answer.ts'
import { shownObject } from '../../../serving/answers/present.ts'
import { isResumed } from '../../applications/application-uplink.ts'
import type { ApplicationAnswer, WatchedEvent } from '../../applications/applications.ts'
import { presentAnswer, viewOf } from './cloud-answer.ts'
import { optionsOf, placeOf } from './cloud-place.ts'
import { wantsTable } from './cloud-table.ts'
import { decideForOriginal } from './cloud-writes.ts'
import { copyOf, refuseCopyOf } from './copied.ts'
import { type NodeContext, type NodeRequest, offline } from './node-request.ts'

/**
 * What this node does not hold: asked of the cloud in the caller's name (an operator of the node, whom the cluster does not know, reads as
 * the node). While the cloud is away a copy of the same caller's last answer serves, and says that it is one.
 */
export async function readFromCloud(context: NodeContext, request: NodeRequest): Promise<Answer> {
  const { applications, copies, clock } = context
  const { path, verb, url, user, token, signal, warn } = request
  if (verb !== 'get' && verb !== 'list') throw methodNotAllowed()
  const query = asked(url)
  const wanted = { user, path, query, pathname: url.pathname }
  if (!applications.isConnected) {
    const copy = copyOf(copies, wanted)
    if (!copy) throw offline(`this node does not hold these ${path.plural}, and has no copy of them for ${user.name}`)
    warn(`the cloud is not connected: this is a copy of ${new Date(copy.at).toISOString()}`)
    return presentAnswer(request, copy.answer, clock.now())
  }
  decideForOriginal(context, request)
  const answer: ApplicationAnswer = await applications.ask(
    {
      ...{ verb, at: placeOf(path), options: optionsOf(url.searchParams) },
      ...(path.subresource === '' ? {} : { subresource: path.subresource }),
      ...(token === undefined ? {} : { token }),
      ...(wantsTable(request) ? { table: true } : {}),
    },
    signal,
  )
  context.noticed(path, true, answer.code)
  if (answer.code === 200) copies.keep(user, `${url.pathname}?${query}`, answer)
  else if (answer.code === 403 || answer.code === 404) refuseCopyOf(copies, wanted)
  return presentAnswer(request, answer, clock.now())
}

/** Whether the same caller has had an answer of the cloud to this, or to a list from which a watch goes on. */
export function hasCopy({ copies }: NodeContext, { verb, user, path, url }: NodeRequest): boolean {
  if (verb === 'watch') return copies.isKnown(user, url.pathname)
  return copyOf(copies, { user, path, query: asked(url), pathname: url.pathname }) !== undefined
}

/** Parameters that say which objects are meant; how they are shown is no matter. */
function asked({ searchParams }: URL): string {
  const kept = ['labelSelector', 'fieldSelector', 'limit', 'continue']
  return new URLSearchParams([...searchParams].filter(([name]) => kept.includes(name))).toString()
}

/**
 * A watch of what this node does not hold. It outlives outages of the road, with what changed meanwhile, and may begin in one where its
 * caller has had a copy of what it is about.
 */
export function watchCloud(context: NodeContext, request: NodeRequest): Stream {
  const { applications, copies, clock } = context
  const { path, url, user, token } = request
  const options = optionsOf(url.searchParams)
  // Without the cloud it is silent, and goes on from there with what changed meanwhile.
  const canWait = isResumed({ options }) && copies.isKnown(user, url.pathname)
  if (!applications.isConnected && !canWait) throw offline(`this node does not hold these ${path.plural}`)
  if (applications.isConnected) decideForOriginal(context, request)
  const query = new URLSearchParams(url.searchParams)
  const { name, ...collection } = path
  // The old way to watch one object.
  if (name !== '') query.set('fieldSelector', `metadata.name=${name}`)
  const wanted = {
    at: placeOf({ ...collection, name: '' }),
    options: optionsOf(query),
    ...(token === undefined ? {} : { token }),
  }
  const shown = (object: ApiObject) => shownObject(viewOf(request, object, clock.now()), object)
  return {
    type: 'application/json',
    async run(send: SendEvent, signal: AbortSignal) {
      for await (const event of applications.watch(wanted, signal)) await send(streamEvent(event, shown))
    },
  }
}

function streamEvent(
  { type, object }: WatchedEvent,
  shown: (object: ApiObject) => { readonly object: StreamEvent['object']; readonly text: string },
): StreamEvent {
  if (type !== 'ERROR' && isApiObject(object)) {
    const known = shown(object)
    return { type, object: known.object, text: known.text }
  }
  return { type, object, text: JSON.stringify(object) }
}
