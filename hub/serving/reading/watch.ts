import { type Duration, minutes, ms, nextTurn, seconds } from '../../../platform/time/index.ts'
import type { JsonObject } from '../../../schemas/index.ts'
import type { ApiObject, ResourceDefinition } from '../../kube/resource.ts'
import { badRequest, expired, type Status, StatusError } from '../../kube/status.ts'
import { type Change, eventOf } from '../../kube/watch/index.ts'
import type { SendEvent, Stream, StreamEvent } from '../answers/answer.ts'
import { shownObject, type View } from '../answers/present.ts'
import type { Entry } from '../objects/ordered-objects.ts'
import { apiVersionOf, inVersion, keyOf, resourceOf } from '../objects/registry.ts'
import type { ReadContext } from './context.ts'
import { checkReached } from './list.ts'
import { candidates } from './list-candidates.ts'
import { type ListOptions, selects } from './list-options.ts'
import { converted } from './versions.ts'
import { createWatcher } from './watcher.ts'

export interface WatchTarget {
  /** Empty: all namespaces. */
  readonly namespace: string
  /** Empty: the whole collection, or what the field selector says. */
  readonly name: string
}

/** Of what a watch begins with: work of less than a millisecond, where it needs no conversion. */
const LOOKED_AT_ONCE = 100
const BOOKMARK_EVERY = minutes(1)
/** Before the end of a watch. */
const LAST_BOOKMARK = seconds(2)
const SHORTEST = minutes(30)
const NO_BOOKMARK: Disposable = { [Symbol.dispose]: () => undefined }

/** The events of a kind, from a version on. Throws a Status when what the options ask for cannot be told. */
export function watchObjects(
  api: ReadContext,
  view: () => View,
  { namespace, name: named }: WatchTarget,
  options: ListOptions,
): Stream {
  const { definition } = view()
  const resource = resourceOf(definition)
  const log = api.store.log(resource)
  // Who may see that one need not be one who may see another.
  if (named !== '' && options.fields.length > 0 && selectedName(options.fields) !== named) {
    throw badRequest("fieldSelector metadata.name doesn't match requested name")
  }
  const fields =
    named === '' ? options.fields : [...options.fields, { path: 'metadata.name', equals: true, value: named }]
  const selected = selects(options)
  const name = namespace !== '' || !definition.namespaced ? selectedName(fields) : ''
  const prefix = name !== '' ? keyOf(namespace, name) : namespace === '' ? '' : `${namespace}/`
  const isConcerned = (key: string) => (name === '' ? key.startsWith(prefix) : key === prefix)
  const matches = (object: ApiObject) => selected(inVersion(object, definition))
  const eventFor = (change: Change) => (isConcerned(change.key) ? eventOf(change, matches) : undefined)
  const shown = (type: string, object: ApiObject): StreamEvent => {
    const known = shownObject(view(), object)
    return {
      ...{ type, object: known.object },
      get text() {
        return known.text
      },
    }
  }
  const bookmark = (version: number, annotations?: { readonly [key: string]: string }) => {
    const metadata = { resourceVersion: String(version), ...(annotations && { annotations }) }
    return shown('BOOKMARK', { kind: definition.kind, apiVersion: apiVersionOf(definition), metadata })
  }

  const events = async (send: SendEvent, signal: AbortSignal) => {
    // Up to the first wait nothing else runs, so no change is lost or told twice.
    using watcher = createWatcher({
      ...{ log, version: () => api.store.version, eventFor, signal },
      onBehind: () => api.cutOff?.('watch'),
    })
    const tell = async (event: StreamEvent) => {
      const waiting = send(event)
      // A client that reads nothing any more keeps no watch open beyond its end.
      if (waiting) await watcher.unlessEnded(waiting)
    }
    const life = lifetime(api, options)
    using _timeout = api.clock.after(life, () => watcher.end())
    using _bookmarks = options.bookmarks ? bookmarks(api, life, () => watcher.remind()) : NO_BOOKMARK
    const since = options.version || api.store.version
    if (startsWithState(options)) {
      const { version } = api.store
      if (since > version) checkReached(api, since)
      for (const part of inParts(present(api, { definition, namespace, fields }), matches)) {
        for (const object of await api.converter.convert(part, definition, signal)) {
          if (watcher.isEnded) return
          await tell(shown('ADDED', object))
        }
        await nextTurn()
      }
      if (options.sendInitialEvents && options.bookmarks)
        await tell(bookmark(version, { 'k8s.io/initial-events-end': 'true' }))
    } else {
      // A version of the future comes from a database that is gone: such a client has to list again, too.
      const past = since > api.store.version ? undefined : log.since(since)
      if (!past) return void (await tell(errorEvent(tooOld(since, log.compacted))))
      watcher.replay(past)
    }
    for await (const step of watcher.steps()) {
      if (typeof step === 'number') await tell(bookmark(step))
      else await tell(shown(step.type, await converted(api, step.object, definition, signal)))
    }
  }
  /** What cannot be shown ends the watch with the reason, as in a cluster. */
  const run = async (send: SendEvent, signal: AbortSignal) => {
    try {
      await events(send, signal)
    } catch (error) {
      if (!(error instanceof StatusError)) throw error
      await send(errorEvent(error.status))
    }
  }
  return { type: 'application/json', run }
}

/** What is there now, whenever it is taken. */
function present(
  { store }: ReadContext,
  sought: {
    readonly definition: ResourceDefinition
    readonly namespace: string
    readonly fields: ListOptions['fields']
  },
): Iterable<Entry> {
  const view = store.view(resourceOf(sought.definition))
  return view ? candidates({ ...sought, store, view }) : []
}

/** Those that match of so many at a time. */
function* inParts(entries: Iterable<Entry>, matches: (object: ApiObject) => boolean): Generator<readonly ApiObject[]> {
  let part: ApiObject[] = []
  let looked = 0
  for (const [, object] of entries) {
    if (matches(object)) part.push(object)
    if (++looked % LOOKED_AT_ONCE > 0) continue
    yield part
    part = []
  }
  yield part
}

/** Of a watch of one object by its name. */
function selectedName(fields: ListOptions['fields']): string {
  return fields.find(({ path, equals }) => path === 'metadata.name' && equals)?.value ?? ''
}

/** Without a version, and with "any", a watch begins with what is there. */
function startsWithState({ version, sendInitialEvents }: ListOptions): boolean {
  return sendInitialEvents ?? (version === undefined || version === 0)
}

/** The last one of a watch that cannot go on. */
export function errorEvent(status: Status): StreamEvent {
  const text = JSON.stringify(status)
  const object: JsonObject = JSON.parse(text)
  return { type: 'ERROR', object, text }
}

function tooOld(version: number, oldest: number): Status {
  return expired(`too old resource version: ${version} (${oldest})`).status
}

function lifetime(api: ReadContext, { timeoutSeconds }: ListOptions): Duration {
  if (timeoutSeconds !== undefined && timeoutSeconds !== 0) return seconds(Math.max(0, timeoutSeconds))
  // Spread, so that the watchers of one start do not all come back at once.
  return seconds((SHORTEST.milliseconds / 1000) * (1 + api.random.next()))
}

/** Every minute, and shortly before the end, so that the client goes on from what is newest. */
function bookmarks({ clock }: ReadContext, life: Duration, work: () => void): Disposable {
  const last = ms(Math.max(0, life.milliseconds - LAST_BOOKMARK.milliseconds))
  const timers: { periodic: Disposable; readonly last: Disposable } = {
    periodic: NO_BOOKMARK,
    last: last.milliseconds > 0 ? clock.after(last, work) : NO_BOOKMARK,
  }
  const arm = () => {
    timers.periodic = clock.after(BOOKMARK_EVERY, () => {
      work()
      arm()
    })
  }
  arm()
  return {
    [Symbol.dispose]: () => {
      timers.periodic[Symbol.dispose]()
      timers.last[Symbol.dispose]()
    },
  }
}
