import { RefusedError } from '../../../platform/lifecycle/index.ts'
import { type Kubernetes, reasonOfError, SECRETS, type Secret } from '../kubernetes/index.ts'
import { type Batch, type Change, ChangeQueue, type Edits, type WaitingChange } from './change-queue.ts'
import { bytesOf, SYSTEM_NAMESPACE, writeSecret } from './secrets.ts'

export interface SecretTableOptions<T> {
  readonly kubernetes: Kubernetes
  /** Of the Secret, in the namespace of KubeEdge's own. */
  readonly name: string
  /** An entry from its JSON; undefined for what is none. */
  read(value: unknown): T | undefined
  /** Told of the Secret after each own write. */
  onWritten?(secret: Secret): void
}

const MOST_ATTEMPTS = 10

/** A map of names to small values in one Secret, shared by all replicas. Changes are read, made and written as one step. */
export class SecretTable<T> {
  readonly #options: SecretTableOptions<T>
  readonly #changes: ChangeQueue<T>

  constructor(options: SecretTableOptions<T>) {
    this.#options = options
    this.#changes = new ChangeQueue((batch) => this.#commit(batch))
  }

  /** As the API has it now. */
  async entries(signal?: AbortSignal): Promise<ReadonlyMap<string, T>> {
    const secret = await this.#secret(signal)
    return secret ? this.parse(secret) : new Map()
  }

  parse(secret: Secret): ReadonlyMap<string, T> {
    const entries = new Map<string, T>()
    for (const [key, bytes] of Object.entries(bytesOf(secret))) {
      const entry = this.#options.read(parsed(bytes))
      if (entry !== undefined) entries.set(key, entry)
    }
    return entries
  }

  /**
   * Durable when it resolves. `change` is asked again where somebody else was faster; no edits write nothing. Changes that wait
   * share one write, each sees the edits of those before it, and one that throws is left out.
   */
  update<R>(change: (entries: ReadonlyMap<string, T>) => Change<T, R>, signal?: AbortSignal): Promise<R> {
    return this.#changes.add(change, signal)
  }

  async #commit(batch: Batch<T>): Promise<void> {
    try {
      await this.#writeTogether(batch)
    } catch (error) {
      for (const change of batch.changes) change.reject(error)
    }
  }

  async #writeTogether({ changes, signal }: Batch<T>): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      signal.throwIfAborted()
      const present = await this.#secret(signal)
      const { edits, answered } = applied(changes, present ? this.parse(present) : new Map())
      try {
        if (Object.keys(edits).length > 0) {
          const written = await this.#write(present, edits, signal)
          this.#options.onWritten?.(written)
        }
        for (const change of answered) change.resolve()
        return
      } catch (error) {
        if (isRace(error) && attempt < MOST_ATTEMPTS) continue
        if (!(error instanceof RefusedError) || answered.length <= 1) throw error
        // One of them may be what cannot be written, because the Secret is full, say: it fails no other.
        for (const change of answered) await this.#commit({ changes: [change], signal })
        return
      }
    }
  }

  async #write(present: Secret | undefined, edits: Edits<T>, signal: AbortSignal): Promise<Secret> {
    const { kubernetes, name } = this.#options
    if (!present) {
      const given = Object.entries(edits).filter(([, entry]) => entry !== undefined)
      const bytes = given.map(([key, entry]) => [key, new TextEncoder().encode(JSON.stringify(entry))])
      return writeSecret(kubernetes, name, Object.fromEntries(bytes), undefined, signal)
    }
    const data = Object.fromEntries(
      Object.entries(edits).map(([key, entry]) => [key, entry === undefined ? null : base64(JSON.stringify(entry))]),
    )
    const { resourceVersion } = present.metadata
    const at = { namespace: SYSTEM_NAMESPACE, name }
    return kubernetes.patch(SECRETS, at, { metadata: { resourceVersion }, data }, { type: 'merge' }, signal)
  }

  #secret(signal?: AbortSignal): Promise<Secret | undefined> {
    return this.#options.kubernetes.get(SECRETS, { namespace: SYSTEM_NAMESPACE, name: this.#options.name }, signal)
  }
}

/** One after the other, as if each had been alone; those that gave up meanwhile change nothing. */
function applied<T>(changes: readonly WaitingChange<T>[], present: ReadonlyMap<string, T>) {
  const entries = new Map(present)
  const edits: Record<string, T | undefined> = {}
  const answered: WaitingChange<T>[] = []
  for (const change of changes) {
    const own = change.isSettled ? undefined : change.ask(entries)
    if (!own) continue
    answered.push(change)
    for (const [key, entry] of Object.entries(own)) {
      edits[key] = entry
      if (entry === undefined) entries.delete(key)
      else entries.set(key, entry)
    }
  }
  return { edits, answered }
}

function isRace(error: unknown): boolean {
  const reason = reasonOfError(error)
  return reason === 'AlreadyExists' || reason === 'Conflict' || reason === 'NotFound'
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    // What it means that an entry is damaged is for `read` to say.
    return undefined
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
