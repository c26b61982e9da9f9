import type { JsonObject, KubeObject } from '../../../schemas/index.ts'
import { errorOfStatus } from '../kubernetes/errors.ts'
import { isJsonObject, isKubeObject, isRecord } from '../kubernetes/guards.ts'
import {
  apiVersionOf,
  type DeleteOptions,
  joinKey,
  type Kubernetes,
  type ListOptions,
  type ObjectKey,
  type PatchOptions,
  type ResourceType,
  type WatchEvent,
} from '../kubernetes/kubernetes.ts'

type Plain = Record<string, unknown>
interface Change {
  readonly version: number
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly object: Plain
}

interface Failure {
  readonly match: (call: string) => boolean
  readonly status: number
  readonly fields: object
  left: number
}

/** Kinds whose status can only be written through the subresource. */
const WITH_STATUS = new Set([
  'devices',
  'objectsyncs',
  'clusterobjectsyncs',
  'nodes',
  'pods',
  'certificatesigningrequests',
])

/** Everything in the API at one moment. */
export interface FakeSnapshot {
  readonly version: number
  readonly objects: ReadonlyMap<string, Readonly<Record<string, unknown>>>
}

/** A Kubernetes API in memory: versions, generations, conflicts, watches, status subresources, garbage collection. */
export class FakeKubernetes implements Kubernetes {
  readonly #objects = new Map<string, Plain>()
  /** Of each kind, in their order. */
  readonly #changes = new Map<string, Change[]>()
  /** Watches that wait, by kind. */
  readonly #waiters = new Map<string, Set<() => void>>()
  readonly #failures: Failure[] = []
  #version = 100
  #compacted = 0
  #uid = 0
  /** Calls that wrote or tried to, as `PATCH devicestatuses default/pump-1`. */
  readonly writes: string[] = []
  /** Watches open now. */
  watching = 0

  /** The next `times` calls whose text (see `writes`; reads are `GET`, `LIST` and `WATCH`) contains `part` fail. */
  fail(part: string, status: number, times = 1, fields: object = {}): void {
    this.#failures.push({ match: (call) => call.includes(part), status, fields, left: times })
  }

  /** From now on nothing fails any more that was meant to. */
  heal(): void {
    this.#failures.length = 0
  }

  /** Remembers everything; what it gives puts it back, as an administrator does with a backup of the server. */
  backup(): () => void {
    const objects = [...this.#objects]
    return () => {
      this.#objects.clear()
      for (const [id, object] of objects) this.#objects.set(id, object)
      this.#changes.clear()
      this.dropWatches()
    }
  }

  /** Closes all watches, as a server that restarts. */
  dropWatches(): void {
    this.#epoch++
    for (const plural of this.#waiters.keys()) this.#wake(plural)
  }
  #epoch = 0

  /** All that is stored now, for `restore`. */
  snapshot(): FakeSnapshot {
    return { version: this.#version, objects: new Map(this.#objects) }
  }

  /** As from a backup: versions go on from those of then, and whoever watched has to list again. */
  restore({ version, objects }: FakeSnapshot): void {
    this.#objects.clear()
    for (const [id, object] of objects) this.#objects.set(id, object)
    this.#version = version
    this.#changes.clear()
    this.#compacted = version
    this.dropWatches()
  }

  /** Forgets what happened so far: a watch that asks for it is told that its version is too old. */
  compact(): void {
    this.#changes.clear()
    this.#compacted = this.#version
    this.dropWatches()
  }

  /** What belongs to nobody any more, because it was made after its owner was deleted, goes too. */
  collectGarbage(): void {
    const uids = new Set([...this.#objects.values()].map((object) => metadataOf(object)['uid']))
    for (const [id, object] of [...this.#objects]) {
      const owners = metadataOf(object)['ownerReferences']
      if (!Array.isArray(owners) || owners.length === 0) continue
      if (owners.some((owner: unknown) => isRecord(owner) && uids.has(owner['uid']))) continue
      this.#drop(id.slice(0, id.indexOf('|')), id, object)
    }
  }

  async get<T extends KubeObject>(type: ResourceType<T>, at: ObjectKey): Promise<T | undefined> {
    this.#admit('GET', type, joinKey(at))
    const found = this.#objects.get(idOf(type, at))
    return found && asKind(type, found)
  }

  async list<T extends KubeObject>(type: ResourceType<T>, options: ListOptions) {
    this.#admit('LIST', type, options.namespace ?? '')
    const items = [...this.#objects]
      .filter(([id, object]) => id.startsWith(`${type.plural}|`) && selected(object, options))
      .map(([, object]) => asKind(type, object))
    return { items, resourceVersion: String(this.#version) }
  }

  async create<T extends KubeObject>(type: ResourceType<T>, namespace: string | undefined, object: object): Promise<T> {
    const given = plainCopy(object)
    const metadata = metadataOf(given)
    const name = String(metadata['name'] ?? `${String(metadata['generateName'])}${++this.#uid}`)
    const at = namespace === undefined ? { name } : { namespace, name }
    this.#admit('POST', type, joinKey(at))
    if (this.#objects.has(idOf(type, at))) throw errorOfStatus(409, { reason: 'AlreadyExists' }, {})
    if (WITH_STATUS.has(type.plural)) delete given['status']
    const whole = {
      ...given,
      apiVersion: apiVersionOf(type),
      kind: type.kind,
      metadata: { ...metadata, ...at, uid: metadata['uid'] ?? `uid-${++this.#uid}`, generation: 1 },
    }
    return asKind(type, this.#store(type, at, whole, 'ADDED'))
  }

  /** Tokens of service accounts are all that is made below an object. */
  async createBelow(type: ResourceType, at: ObjectKey, subresource: string, body: object): Promise<JsonObject> {
    this.#admit('POST', type, `${joinKey(at)}/${subresource}`)
    if (type.plural !== 'serviceaccounts' || subresource !== 'token') throw errorOfStatus(405, {}, {})
    if (!this.#objects.has(idOf(type, at))) {
      throw errorOfStatus(404, { reason: 'NotFound', message: `serviceaccounts "${at.name}" not found` }, {})
    }
    const status = { token: `token-${++this.#uid}`, expirationTimestamp: '2030-01-01T00:00:00Z' }
    const answer: unknown = { ...structuredClone(body), status }
    return isJsonObject(answer) ? answer : {}
  }

  /** What questions are answered with; by default, nobody is known and nothing allowed. */
  answerReview: (kind: string, spec: JsonObject) => JsonObject = () => ({ authenticated: false, allowed: false })

  async review(type: ResourceType, spec: JsonObject): Promise<JsonObject> {
    this.#admit('POST', type, '')
    return this.answerReview(type.kind, structuredClone(spec))
  }

  async replace<T extends KubeObject>(
    type: ResourceType<T>,
    at: ObjectKey,
    object: object,
    options?: { readonly subresource?: string },
  ): Promise<T> {
    this.#admit('PUT', type, joinKey(at))
    return this.#write(type, at, plainCopy(object), options?.subresource)
  }

  async patch<T extends KubeObject>(
    type: ResourceType<T>,
    at: ObjectKey,
    body: object,
    options: PatchOptions,
  ): Promise<T> {
    this.#admit('PATCH', type, joinKey(at))
    const present = this.#objects.get(idOf(type, at))
    if (!present) throw errorOfStatus(404, {}, {})
    if (options.type === 'json') throw new Error('the fake knows no JSON patch')
    const merged = mergePatch(present, plainCopy(body))
    if (!isRecord(merged)) throw errorOfStatus(400, {}, {})
    const wanted = isRecord(body) && isRecord(body['metadata']) ? body['metadata']['resourceVersion'] : undefined
    const metadata = { ...metadataOf(merged), resourceVersion: wanted }
    return this.#write(type, at, { ...merged, metadata }, options.subresource)
  }

  async delete(type: ResourceType, at: ObjectKey, options?: DeleteOptions): Promise<void> {
    this.#admit('DELETE', type, joinKey(at))
    const present = this.#objects.get(idOf(type, at))
    if (!present) return
    if (options?.uid && metadataOf(present)['uid'] !== options.uid) throw errorOfStatus(409, {}, {})
    // As Kubernetes does it with pods: their node has its grace, and asks for the rest with a period of 0.
    const spec = present['spec']
    const isBound = type.plural === 'pods' && isRecord(spec) && typeof spec['nodeName'] === 'string'
    if (isBound && options?.gracePeriodSeconds !== 0) {
      if (metadataOf(present)['deletionTimestamp'] !== undefined) return
      const deletionTimestamp = '2026-01-01T00:00:00Z'
      const metadata = { ...metadataOf(present), deletionTimestamp, deletionGracePeriodSeconds: 30 }
      this.#store(type, at, { ...present, metadata }, 'MODIFIED')
    } else {
      this.#drop(type.plural, idOf(type, at), present)
    }
  }

  async *watch<T extends KubeObject>(
    type: ResourceType<T>,
    options: ListOptions & { readonly resourceVersion: string },
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent<T>> {
    this.#admit('WATCH', type, options.namespace ?? '')
    const epoch = this.#epoch
    let seen = Number(options.resourceVersion)
    // A version of the future comes from a database that is gone.
    if (seen < this.#compacted || seen > this.#version) throw errorOfStatus(410, {}, {})
    this.watching++
    try {
      while (!signal.aborted && epoch === this.#epoch) {
        const next = firstAfter(this.#changes.get(type.plural) ?? [], seen)
        if (!next) {
          await this.#nextChange(type.plural, signal)
          continue
        }
        seen = next.version
        if (selected(next.object, options)) yield { type: next.type, object: asKind(type, next.object) }
      }
    } finally {
      this.watching--
    }
  }

  #write<T extends KubeObject>(type: ResourceType<T>, at: ObjectKey, given: Plain, subresource: string | undefined): T {
    const present = this.#objects.get(idOf(type, at))
    if (!present) throw errorOfStatus(404, {}, {})
    const metadata = metadataOf(given)
    const old = metadataOf(present)
    const version = metadata['resourceVersion']
    if (version !== undefined && version !== old['resourceVersion']) throw errorOfStatus(409, {}, {})
    const status = WITH_STATUS.has(type.plural)
    const next: Plain =
      subresource === 'status'
        ? {
            ...present,
            ...(status && type.group === '' ? { metadata: { ...old, annotations: metadata['annotations'] } } : {}),
            status: given['status'],
          }
        : { ...given, metadata: { ...metadata, uid: old['uid'] }, ...(status ? { status: present['status'] } : {}) }
    const changed = JSON.stringify(next['spec']) !== JSON.stringify(present['spec'])
    const generation = Number(old['generation']) + (changed ? 1 : 0)
    const whole = { ...next, metadata: { ...metadataOf(next), generation, resourceVersion: old['resourceVersion'] } }
    if (sameJson(whole, present)) return asKind(type, present)
    return asKind(type, this.#store(type, at, whole, 'MODIFIED'))
  }

  #store(type: ResourceType, at: ObjectKey, object: Plain, change: Change['type']): Plain {
    const metadata = { ...metadataOf(object), resourceVersion: String(++this.#version) }
    const stored: Plain = frozen({ ...object, metadata })
    this.#objects.set(idOf(type, at), stored)
    this.#announce(type.plural, change, stored)
    return stored
  }

  #drop(plural: string, id: string, object: Plain): void {
    this.#objects.delete(id)
    const metadata = { ...metadataOf(object), resourceVersion: String(++this.#version) }
    this.#announce(plural, 'DELETED', frozen({ ...object, metadata }))
    const uid = metadataOf(object)['uid']
    for (const [other, dependent] of [...this.#objects]) {
      const owners = metadataOf(dependent)['ownerReferences']
      if (!Array.isArray(owners) || !owners.some((owner: unknown) => isRecord(owner) && owner['uid'] === uid)) continue
      this.#drop(other.slice(0, other.indexOf('|')), other, dependent)
    }
  }

  #announce(plural: string, type: Change['type'], object: Plain): void {
    const changes = this.#changes.get(plural) ?? []
    this.#changes.set(plural, changes)
    changes.push({ version: this.#version, type, object })
    this.#wake(plural)
  }

  #wake(plural: string): void {
    for (const wake of [...(this.#waiters.get(plural) ?? [])]) wake()
  }

  #nextChange(plural: string, signal: AbortSignal): Promise<void> {
    const waiters = this.#waiters.get(plural) ?? new Set()
    this.#waiters.set(plural, waiters)
    return new Promise((resolve) => {
      const done = () => {
        waiters.delete(done)
        signal.removeEventListener('abort', done)
        resolve()
      }
      waiters.add(done)
      signal.addEventListener('abort', done)
    })
  }

  #admit(verb: string, type: ResourceType, key: string): void {
    const call = `${verb} ${type.plural} ${key}`
    if (!['GET', 'LIST', 'WATCH'].includes(verb)) this.writes.push(call)
    const failure = this.#failures.find((candidate) => candidate.left > 0 && candidate.match(call))
    if (!failure) return
    failure.left--
    throw errorOfStatus(failure.status, {}, { ...failure.fields, call })
  }
}

/** RFC 7386. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch
  const result: Plain = isRecord(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else result[key] = mergePatch(result[key], value)
  }
  return result
}

/** What is stored is frozen, and so needs no copy for each reader. */
function asKind<T extends KubeObject>(type: ResourceType<T>, object: unknown): T {
  if (!isKubeObject(object) || !type.accepts(object)) throw new Error(`the fake holds no valid ${type.kind}`)
  return object
}

/** As it would cross the wire: what is undefined is not there. */
function plainCopy(object: object): Plain {
  return JSON.parse(JSON.stringify(object))
}

function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const part of Object.values(value)) frozen(part)
  return Object.freeze(value)
}

/** Versions only grow. */
function firstAfter(changes: readonly Change[], version: number): Change | undefined {
  let at = changes.length
  while (at > 0 && (changes[at - 1]?.version ?? 0) > version) at--
  return changes[at]
}

function selected(object: Plain, options: ListOptions): boolean {
  const metadata = metadataOf(object)
  if (options.namespace !== undefined && metadata['namespace'] !== options.namespace) return false
  for (const term of options.fieldSelector?.split(',') ?? []) {
    const [path = '', value = ''] = term.split(/!?=/)
    if ((fieldAt(object, path) === value) === term.includes('!=')) return false
  }
  if (!options.labelSelector) return true
  const labels = isRecord(metadata['labels']) ? metadata['labels'] : {}
  return options.labelSelector.split(',').every((term) => {
    const [key = '', value] = term.split('=')
    return value === undefined ? key in labels : labels[key] === value
  })
}

function fieldAt(object: Plain, path: string): string {
  let at: unknown = object
  for (const step of path.split('.')) at = isRecord(at) ? at[step] : undefined
  return typeof at === 'string' ? at : ''
}

function metadataOf(object: Plain): Plain {
  const metadata = object['metadata']
  return isRecord(metadata) ? { ...metadata } : {}
}

function idOf(type: ResourceType, at: ObjectKey): string {
  return `${type.plural}|${joinKey(at)}`
}

/** Values that came out of JSON; a key whose value is undefined is none. */
function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false
    return a.every((each: unknown, index) => sameJson(each, b[index]))
  }
  if (!isRecord(a) || !isRecord(b)) return false
  for (const key of Object.keys(a)) if (!sameJson(a[key], b[key])) return false
  return Object.keys(b).every((key) => b[key] === undefined || a[key] !== undefined)
}
