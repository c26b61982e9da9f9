import type { EventBus, RetainedMessage, RetainedView, ViewHandle } from '../../platform/bus/index.ts'
import {
  type DeviceId,
  hasPlainTopic,
  PLAIN_PREFIX,
  type PlainFilter,
  parsePlainFilter,
  plainConflictTopic,
  plainDeviceTopic,
  plainPropertyTopic,
  splitDeviceId,
  type Twin,
  type TwinProperty,
} from '../../schemas/index.ts'
import { bareValue, plainConflict, plainTwin, sameBareValue } from '../model/plain.ts'
import { propertyOf } from '../model/property.ts'

/** The twins that are shown. */
export interface ShownTwins {
  get(id: DeviceId): Twin | undefined
  all(): Iterable<Twin>
}

/**
 * The plain view: twins as retained messages that nobody stores. Made from the twins when somebody subscribes, or when they
 * are loaded, if that is later; what changes is told to those who are subscribed, and costs next to nothing while nobody is.
 */
export class PlainView implements RetainedView {
  readonly #handle: ViewHandle
  #twins = Promise.withResolvers<ShownTwins>()

  constructor(eventBus: EventBus) {
    this.#handle = eventBus.view(PLAIN_PREFIX, this)
  }

  /** The twins are loaded. Disposing: nobody is told of them until they are loaded again. */
  open(twins: ShownTwins): Disposable {
    this.#twins.resolve(twins)
    return {
      [Symbol.dispose]: () => {
        this.#twins = Promise.withResolvers()
      },
    }
  }

  async *messages(filter: string): AsyncIterable<RetainedMessage> {
    const wanted = parsePlainFilter(filter)
    if (!wanted) return
    const twins = await this.#twins.promise
    for (const { id } of candidates(twins, wanted)) yield* messagesOf(() => twins.get(id), id, wanted)
  }

  /** After each change on disk; the twins show it already. */
  changed(before: Twin | undefined, after: Twin | undefined): void {
    const twin = after ?? before
    if (before === after || !twin || !this.#handle.hasWatchers) return
    const { id } = twin
    const names = new Set([...Object.keys(before?.properties ?? {}), ...Object.keys(after?.properties ?? {})])
    for (const name of names) {
      if (!hasPlainTopic(name)) continue
      this.#propertyChanged(id, name, before && propertyOf(before, name), after && propertyOf(after, name))
    }
    this.#show(plainDeviceTopic(id), () => twinText(after))
  }

  #propertyChanged(id: DeviceId, name: string, before: TwinProperty | undefined, after: TwinProperty | undefined) {
    if (before === after) return
    if (!sameBareValue(before, after)) this.#show(plainPropertyTopic(id, name), () => bareValue(after))
    if (before?.conflict !== after?.conflict && conflictText(before) !== conflictText(after)) {
      this.#show(plainConflictTopic(id, name), () => conflictText(after))
    }
  }

  #show(topic: string, payload: () => string | Uint8Array): void {
    if (this.#handle.isWatched(topic)) this.#handle.show(topic, payload())
  }
}

function* candidates(twins: ShownTwins, { namespace, name }: PlainFilter): Iterable<Twin> {
  if (namespace !== undefined && name !== undefined) {
    const twin = twins.get(`${namespace}/${name}`)
    if (twin) yield twin
    return
  }
  for (const twin of twins.all()) {
    const its = splitDeviceId(twin.id)
    if ((namespace ?? its.namespace) === its.namespace && (name ?? its.name) === its.name) yield twin
  }
}

/** Payloads are read later than topics, when the twin may be another one. */
function* messagesOf(twinNow: () => Twin | undefined, id: DeviceId, { kinds, property }: PlainFilter) {
  if (kinds.has('device')) yield message(plainDeviceTopic(id), () => twinText(twinNow()))
  if (!kinds.has('property') && !kinds.has('conflict')) return
  for (const name of property === undefined ? Object.keys(twinNow()?.properties ?? {}) : [property]) {
    if (!hasPlainTopic(name)) continue
    const its = () => {
      const twin = twinNow()
      return twin && propertyOf(twin, name)
    }
    if (kinds.has('property') && its()?.reported?.value) {
      yield message(plainPropertyTopic(id, name), () => bareValue(its()))
    }
    if (kinds.has('conflict') && its()?.conflict) {
      yield message(plainConflictTopic(id, name), () => conflictText(its()))
    }
  }
}

function message(topic: string, payload: () => string | Uint8Array): RetainedMessage {
  return {
    topic,
    get payload() {
      return payload()
    },
  }
}

/** Empty: none stands. */
function conflictText(property: TwinProperty | undefined): string {
  return property?.conflict ? JSON.stringify(plainConflict(property, property.conflict)) : ''
}

/** Empty: there is no such device. */
function twinText(twin: Twin | undefined): string {
  return twin ? JSON.stringify(plainTwin(twin)) : ''
}
