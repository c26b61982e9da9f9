import { describeError, UnavailableError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import {
  type ApiPlace,
  type Application,
  type Frame,
  frameTypeOf,
  type Json,
  type JsonObject,
  MODULES,
  NO_NAMESPACE,
  OPERATIONS,
  parseResource,
  WATCH_SYNC_RESOURCE,
} from '../../../schemas/index.ts'
import { matchesLabels, parseLabelSelector } from '../../kube/selectors/index.ts'
import { contentOf } from '../../link/index.ts'
import { isObject, objectIn, textIn } from '../json.ts'
import { APPLICATION_ROUTE, contentOfApplication, watchApplication } from './application-frames.ts'
import type { ApplicationRequests } from './application-requests.ts'
import type { WatchRequest } from './applications.ts'
import { EventQueue } from './event-queue.ts'

interface Reader {
  readonly request: WatchRequest
  readonly events: EventQueue
  /** resourceVersion by uid of what it was told: the cloud repeats what is there. */
  readonly told: Map<string, string>
}

interface Listening {
  readonly application: Application
  readonly readers: Set<Reader>
}

const MOST = 64
/** What one reader was told of; beyond that he begins anew. */
const MOST_TOLD = 20_000

/**
 * Watches as KubeEdge has them: the cloud listens for this node and sends objects as it sends all others. One that several ask
 * for is asked of the cloud once; the cloud is told anew after each connect, as it forgets them with its process.
 */
export class OriginalWatches {
  readonly #requests: ApplicationRequests
  readonly #nodeName: string
  readonly #log: Logger
  readonly #listening = new Map<string, Listening>()

  constructor(requests: ApplicationRequests, { nodeName, log }: { readonly nodeName: string; readonly log: Logger }) {
    this.#requests = requests
    this.#nodeName = nodeName
    this.#log = log
  }

  get size(): number {
    return this.#listening.size
  }

  async open(
    request: WatchRequest,
    signal: AbortSignal,
  ): Promise<{ readonly answer: Json; readonly events: EventQueue } & Disposable> {
    const application = watchApplication(request, this.#nodeName, undefined)
    const { ID } = application
    const reader: Reader = { request, events: new EventQueue(), told: new Map() }
    if (!this.#listening.has(ID) && this.#listening.size >= MOST) throw full()
    const listening = this.#listening.get(ID) ?? { application, readers: new Set() }
    // Before the answer: the cloud sends what is there first.
    this.#listening.set(ID, listening)
    listening.readers.add(reader)
    const close = () => {
      reader.events.end({})
      listening.readers.delete(reader)
      if (listening.readers.size > 0 || this.#listening.get(ID) !== listening) return
      this.#listening.delete(ID)
      void this.sync()
    }
    try {
      const answer = await this.#requests.ask(() => application, signal)
      return { answer, events: reader.events, [Symbol.dispose]: close }
    } catch (error) {
      close()
      throw error
    }
  }

  /** All watches of this node, after a connect and whenever one ends. Those that the cloud cannot serve end. */
  async sync(): Promise<void> {
    const { road } = this.#requests
    if (!road || road.isSkerry) return
    const all = [...this.#listening].map(([id, { application }]) => [id, contentOfApplication(application)])
    const route = { ...APPLICATION_ROUTE, resource: WATCH_SYNC_RESOURCE }
    try {
      const { content } = await this.#requests.tell(route, () => Object.fromEntries(all), road.signal)
      for (const [id, failed] of Object.entries(isObject(content) ? content : {})) {
        const status = isObject(failed) ? objectIn(failed, 'Error')['ErrStatus'] : undefined
        for (const { events } of this.#listening.get(id)?.readers ?? []) events.end(isObject(status) ? { status } : {})
      }
    } catch (error) {
      this.#log.debug('A cloud was not told of the watches here', { error: describeError(error) })
    }
  }

  /** Another kind of cloud is there. */
  end(): void {
    for (const { readers } of this.#listening.values()) for (const { events } of readers) events.end({})
  }

  /** An object of the cloud that is on disk now. */
  take(frame: Frame): void {
    if (this.#listening.size === 0 || frame.route.source !== MODULES.dynamicController) return
    const path = parseResource(frame.route.resource)
    const object = contentOf(frame)
    if (!path || !isObject(object)) return
    const isGone = frame.route.operation === OPERATIONS.delete
    for (const { readers } of this.#listening.values()) {
      for (const reader of readers) {
        if (!isOfPlace(reader.request.at, path, object)) continue
        tell(reader, object, isGone || !isSelected(reader.request, object))
      }
    }
  }
}

function tell({ events, told }: Reader, object: JsonObject, isGone: boolean): void {
  const metadata = objectIn(object, 'metadata')
  const [uid, version] = [textIn(metadata, 'uid') ?? '', textIn(metadata, 'resourceVersion') ?? '']
  const before = told.get(uid)
  if (isGone) {
    if (told.delete(uid)) void events.put([{ type: 'DELETED', object }])
    return
  }
  if (before !== undefined && before === version) return
  // Nothing slows the cloud down: it has its receipt, and others have their objects.
  if (told.size >= MOST_TOLD || events.unread >= MOST_TOLD) events.end({})
  told.set(uid, version)
  void events.put([{ type: before === undefined ? 'ADDED' : 'MODIFIED', object }])
}

function isOfPlace(
  { group, version, resource, namespace, name }: ApiPlace,
  path: { readonly namespace: string; readonly type: string; readonly name: string },
  object: JsonObject,
): boolean {
  if (path.type !== frameTypeOf(resource)) return false
  const apiVersion = textIn(object, 'apiVersion')
  if (apiVersion !== undefined && apiVersion !== (group === '' ? version : `${group}/${version}`)) return false
  if (namespace !== undefined && path.namespace !== namespace) return false
  return name === undefined || path.namespace === NO_NAMESPACE || path.name === name
}

/** By labels; a field selector the cloud has seen to, as far as it understands it. */
function isSelected({ options = {} }: WatchRequest, object: JsonObject): boolean {
  const selector = textIn(options, 'labelSelector')
  if (selector === undefined) return true
  return matchesLabels(parseLabelSelector(selector), objectIn(objectIn(object, 'metadata'), 'labels'))
}

function full(): UnavailableError {
  return new UnavailableError('Too many watches of the Kubernetes API behind the cloud', {
    code: 'HUB_APPLICATIONS_FULL',
  })
}
