import { UnavailableError } from '../../../platform/lifecycle/index.ts'
import type { Random } from '../../../platform/time/index.ts'
import {
  type Application,
  type Frame,
  type Json,
  parseApplicationEvents,
  WATCH_SYNC_RESOURCE,
} from '../../../schemas/index.ts'
import { contentOf, type FrameFactory } from '../../link/index.ts'
import { isObject } from '../json.ts'
import { APPLICATION_ROUTE, contentOfApplication, watchApplication } from './application-frames.ts'
import type { ApplicationRequests } from './application-requests.ts'
import type { WatchRequest } from './applications.ts'
import { EventQueue } from './event-queue.ts'

export interface SkerryWatchPorts {
  readonly requests: ApplicationRequests
  readonly frames: FrameFactory
  readonly nodeName: string
  readonly random: Random
}

interface Open {
  readonly application: Application
  readonly events: EventQueue
}

const MOST = 64

/** Watches whose events a Skerry cloud sends in frames of their own, each with a receipt: so it never sends more than is read. */
export class SkerryWatches {
  readonly #ports: SkerryWatchPorts
  readonly #open = new Map<string, Open>()

  constructor(ports: SkerryWatchPorts) {
    this.#ports = ports
  }

  get size(): number {
    return this.#open.size
  }

  /** The answer of the cloud, and the events where it said yes. Dispose it when nobody reads any more. */
  async open(
    request: WatchRequest,
    signal: AbortSignal,
  ): Promise<{ readonly answer: Json; readonly events: EventQueue } & Disposable> {
    const { requests, nodeName, random } = this.#ports
    if (this.#open.size >= MOST) {
      throw new UnavailableError('Too many watches of the Kubernetes API behind the cloud', {
        code: 'HUB_APPLICATIONS_FULL',
      })
    }
    const id = random.uuid()
    const application = watchApplication(request, nodeName, id)
    const events = new EventQueue()
    this.#open.set(id, { application, events })
    const close = () => {
      events.end({})
      if (this.#open.delete(id)) void this.#sync()
    }
    try {
      // It may find a link to another kind of cloud, which answers what it does not serve with an error.
      const answer = await requests.ask(() => application, signal)
      return { answer, events, [Symbol.dispose]: close }
    } catch (error) {
      close()
      throw error
    }
  }

  /** The receipt of a frame with events, once there is room for more. */
  async take(frame: Frame): Promise<Frame> {
    const { frames } = this.#ports
    const content = contentOf(frame)
    const told = parseApplicationEvents(isObject(content) ? content['skerry'] : undefined)
    const open = told && this.#open.get(told.watch)
    if (!told || !open) return frames.refuse(frame, 'nobody here has such a watch')
    const isRead = await open.events.put(told.events)
    if (told.ended) open.events.end(told.ended)
    return isRead ? frames.reply(frame, 'OK') : frames.refuse(frame, 'nobody reads this watch any more')
  }

  /** What is not among these, the cloud ends. Where it does not hear that, it learns it with the next event. */
  async #sync(): Promise<void> {
    const { requests } = this.#ports
    if (!requests.road?.isSkerry) return
    const all = [...this.#open].map(([id, { application }]) => [id, contentOfApplication(withoutToken(application))])
    const route = { ...APPLICATION_ROUTE, resource: WATCH_SYNC_RESOURCE }
    await requests.tell(route, () => Object.fromEntries(all), requests.road.signal).catch(() => undefined)
  }
}

function withoutToken({ skerry, ...application }: Application): Application {
  return skerry?.watch === undefined ? application : { ...application, skerry: { watch: skerry.watch } }
}
