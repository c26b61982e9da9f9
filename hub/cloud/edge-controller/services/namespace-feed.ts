import { createHash } from 'node:crypto'
import { type Clock, ms, seconds } from '../../../../platform/time/index.ts'
import {
  type LeftOut,
  MODULES,
  NAMESPACE_SERVICES,
  NONE_LEFT_OUT,
  namespaceServicesResource,
  SERVICE_KINDS,
  type ServiceKind,
} from '../../../../schemas/index.ts'
import type { Delivery } from '../../cloudhub/delivery.ts'
import type { AnyObject } from '../../kubernetes/index.ts'
import { type ServiceEntry, serviceEntry } from './service-entry.ts'
import type { ServiceLimits } from './service-limits.ts'

export interface NamespaceFeedPorts {
  readonly clock: Clock
  readonly limits: ServiceLimits
  /** As the API has it now; undefined where it is gone. */
  readonly now: (kind: ServiceKind, name: string) => AnyObject | undefined
  /** Nodes of the namespace have to be looked at. */
  readonly onRound: (namespace: string) => void
  /** A change was told, was overtaken before it was, said nothing new, or made the object larger than is told. */
  readonly count: (outcome: 'told' | 'coalesced' | 'silent' | 'too-large', name: string) => void
}

/** Changes that come in a burst go together. */
const GATHER = seconds(1)

interface Change {
  readonly kind: ServiceKind
  readonly name: string
}

/**
 * Services of one namespace as its nodes are told of them: not as the API has them at each moment, but as they were at the last round.
 * Rounds are so far apart, and carry so much, as the limits say, and the change that waits longest goes first; so what a namespace costs
 * a node, and the road, is bounded whatever happens in it.
 */
export class NamespaceFeed implements Disposable {
  readonly namespace: string
  readonly #ports: NamespaceFeedPorts
  readonly #shown = new Map<string, ServiceEntry>()
  /** Objects that are too large, by key. */
  readonly #tooLarge = new Map<string, ServiceKind>()
  /** The one that waits longest first. */
  readonly #waiting = new Map<string, Change>()
  readonly #markers = new Map<string, Delivery>()
  #entries: readonly ServiceEntry[] | undefined
  #lastRound: number | undefined
  #timer: Disposable | undefined
  #isFilled = false

  constructor(namespace: string, ports: NamespaceFeedPorts) {
    this.namespace = namespace
    this.#ports = ports
  }

  /** Whether it is known what the namespace has. */
  get isFilled(): boolean {
    return this.#isFilled
  }

  /** Everything that is there, at once: for nodes that have nothing of it yet. */
  fill(objects: Readonly<Record<ServiceKind, readonly AnyObject[]>>): void {
    for (const kind of SERVICE_KINDS) for (const object of objects[kind]) this.#show(keyOf(kind, object), kind, object)
    this.#isFilled = true
    this.#lastRound = this.#ports.clock.monotonic()
    this.#changed()
  }

  /** The object came, changed or went. */
  note(kind: ServiceKind, object: AnyObject): void {
    if (!this.#isFilled) return
    const key = keyOf(kind, object)
    if (this.#waiting.has(key)) this.#ports.count('coalesced', key)
    else this.#waiting.set(key, { kind, name: object.metadata.name })
    this.#schedule()
  }

  /** The most useful kind first, and by name: what is beyond the bounds of a node is always the same. */
  get entries(): readonly ServiceEntry[] {
    this.#entries ??= [...this.#shown]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, entry]) => entry)
      .sort((a, b) => SERVICE_KINDS.indexOf(a.kind) - SERVICE_KINDS.indexOf(b.kind))
    return this.#entries
  }

  /** Objects that no node is told of. */
  get tooLarge(): LeftOut {
    const counts = { ...NONE_LEFT_OUT }
    for (const kind of this.#tooLarge.values()) counts[kind]++
    return counts
  }

  /**
   * That a node has all of it, but for so many. With other numbers it is another object, so that the earlier one goes before anything does
   * that is left out now: in between, and should the road end there, the node does not think that it has all.
   */
  marker(leftOut: LeftOut): Delivery {
    const version = SERVICE_KINDS.map((kind) => leftOut[kind]).join('-')
    const known = this.#markers.get(version)
    if (known) return known
    const { namespace } = this
    const metadata = { name: 'all', namespace, uid: uidOf(namespace, version), resourceVersion: version }
    const object = { apiVersion: 'skerry.dev/v1', kind: NAMESPACE_SERVICES, metadata, spec: { leftOut } }
    const resource = namespaceServicesResource(namespace)
    const made: Delivery = { object, resource, source: MODULES.edgeController, version: `r${version}` }
    this.#markers.set(version, made)
    return made
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]()
    this.#isFilled = false
  }

  #schedule(): void {
    const { clock, limits } = this.#ports
    const due = (this.#lastRound ?? Number.NEGATIVE_INFINITY) + limits.every.milliseconds
    const wait = Math.max(GATHER.milliseconds, due - clock.monotonic())
    this.#timer ??= clock.after(ms(wait), () => this.#round())
  }

  #round(): void {
    const { clock, limits, now, onRound } = this.#ports
    this.#timer = undefined
    this.#lastRound = clock.monotonic()
    let bytes = 0
    for (const [key, { kind, name }] of this.#waiting) {
      if (bytes >= limits.roundBytes) break
      this.#waiting.delete(key)
      bytes += this.#show(key, kind, now(kind, name))
    }
    this.#changed()
    onRound(this.namespace)
    if (this.#waiting.size > 0) this.#schedule()
  }

  /** Bytes that each node has to be told. */
  #show(key: string, kind: ServiceKind, object: AnyObject | undefined): number {
    const { count, limits } = this.#ports
    const before = this.#shown.get(key)
    const entry = object && serviceEntry(kind, object)
    if (before && before.meaning === entry?.meaning) {
      count('silent', key)
      return 0
    }
    const wasTooLarge = this.#tooLarge.delete(key)
    this.#shown.delete(key)
    if (!entry) return 0
    if (entry.bytes > limits.objectBytes) {
      if (!wasTooLarge) count('too-large', key)
      this.#tooLarge.set(key, kind)
      return 0
    }
    // What fills the namespace is no change.
    if (this.#isFilled) count('told', key)
    this.#shown.set(key, entry)
    return entry.bytes
  }

  #changed(): void {
    this.#entries = undefined
    this.#markers.clear()
  }
}

function keyOf(kind: ServiceKind, { metadata }: AnyObject): string {
  return `${kind}/${metadata.name}`
}

/** Of its own, the same of each cloud half. */
function uidOf(namespace: string, version: string): string {
  const hex = createHash('sha256').update(`${NAMESPACE_SERVICES} ${namespace} ${version}`).digest('hex')
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)]
  return parts.join('-')
}
