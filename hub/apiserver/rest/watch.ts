import { minutes, seconds } from '../../../platform/time/index.ts'
import type { ApiObject } from '../../kube/resource.ts'
import { badRequest, expired, type Status } from '../../kube/status.ts'
import { type Change, eventOf } from '../../kube/watch/index.ts'
import type { SendLine, Stream } from './answer.ts'
import type { ApiContext } from './context.ts'
import { type ListOptions, selects } from './options.ts'
import { shownText, type View } from './present.ts'
import { apiVersionOf, inVersion, keyOf, resourceOf } from './registry.ts'

export interface WatchTarget {
  /** Empty: all namespaces. */
  readonly namespace: string
  /** Empty: the whole collection. */
  readonly name: string
}

const BOOKMARK_EVERY = minutes(1)
const SHORTEST = minutes(30)

/** The events of a kind, from a version on. Throws a Status when what the options ask for cannot be told. */
export function watchObjects(
  api: ApiContext,
  view: () => View,
  { namespace, name }: WatchTarget,
  options: ListOptions,
): Stream {
  const { definition } = view()
  const resource = resourceOf(definition)
  const selected = selects(options)
  const prefix = name !== '' ? keyOf(namespace, name) : namespace === '' ? '' : `${namespace}/`
  const isConcerned = (key: string) => (name === '' ? key.startsWith(prefix) : key === prefix)
  const matches = (object: ApiObject) => selected(inVersion(object, definition))
  const line = (type: string, object: ApiObject) =>
    `{"type":"${type}","object":${shownText(view(), inVersion(object, definition))}}\n`
  checkOptions(options)

  const run = async (send: SendLine, signal: AbortSignal) => {
    const ended = Promise.withResolvers<void>()
    const end = () => ended.resolve()
    signal.addEventListener('abort', end, { once: true })
    if (signal.aborted) end()
    let told = 0
    const tell = (text: string) => {
      // A watcher that does not keep up is cut off; it comes back with the last version it saw.
      if (!send(text)) end()
    }
    const onChange = (change: Change) => {
      told = change.version
      if (!isConcerned(change.key)) return
      const event = eventOf(change, matches)
      if (event) tell(line(event.type, event.object))
    }
    const bookmark = (annotations?: { readonly [key: string]: string }) => {
      const version = String(Math.max(told, api.store.version))
      const metadata = { resourceVersion: version, creationTimestamp: null, ...(annotations ? { annotations } : {}) }
      const object: ApiObject = { kind: definition.kind, apiVersion: apiVersionOf(definition), metadata }
      tell(
        `{"type":"BOOKMARK","object":${view().form.as === 'table' ? shownText(view(), object) : JSON.stringify(object)}}\n`,
      )
    }
    // From here to the subscription nothing else runs, so no change is lost or told twice.
    if (startsWithState(options)) {
      for (const [key, object] of api.store.list(resource, prefix)) {
        if (isConcerned(key) && matches(object)) tell(line('ADDED', object))
      }
      if (options.sendInitialEvents) bookmark({ 'k8s.io/initial-events-end': 'true' })
    } else {
      const from = options.version || api.store.version
      // A version of the future comes from a database that is gone: such a client has to list again, too.
      const past = from > api.store.version ? undefined : api.store.log(resource).since(from)
      if (past === undefined) {
        tell(`{"type":"ERROR","object":${JSON.stringify(tooOld(api, resource, from))}}\n`)
        return
      }
      for (const change of past) onChange(change)
    }
    using _listening = api.store.log(resource).listen(onChange)
    using _timeout = api.clock.after(lifetime(api, options), end)
    using _bookmarks = options.bookmarks ? every(api, () => bookmark()) : undefined
    await ended.promise
    signal.removeEventListener('abort', end)
  }
  return { type: 'application/json', run }
}

function checkOptions(options: ListOptions): void {
  if (options.sendInitialEvents === undefined) return
  if (options.versionMatch !== 'NotOlderThan') {
    throw badRequest(
      'resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
    )
  }
  if (options.sendInitialEvents && !options.bookmarks) {
    throw badRequest('allowWatchBookmarks: Forbidden: sendInitialEvents requires allowWatchBookmarks')
  }
}

/** Without a version, and with "any", a watch begins with what is there. */
function startsWithState({ version, sendInitialEvents }: ListOptions): boolean {
  return sendInitialEvents ?? (version === undefined || version === 0)
}

function tooOld(api: ApiContext, resource: string, version: number): Status {
  const oldest = api.store.log(resource).compacted
  return expired(`too old resource version: ${version} (${oldest})`).status
}

function lifetime(api: ApiContext, { timeoutSeconds }: ListOptions) {
  if (timeoutSeconds !== undefined && timeoutSeconds > 0) return seconds(timeoutSeconds)
  // Spread, so that the watchers of one start do not all come back at once.
  return seconds((SHORTEST.milliseconds / 1000) * (1 + api.random.next()))
}

function every(api: ApiContext, work: () => void): Disposable {
  let timer: Disposable
  const arm = () => {
    timer = api.clock.after(BOOKMARK_EVERY, () => {
      work()
      arm()
    })
  }
  arm()
  return { [Symbol.dispose]: () => timer[Symbol.dispose]() }
}
