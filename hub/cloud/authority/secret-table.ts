import { type Kubernetes, reasonOfError, SECRETS, type Secret } from '../kubernetes/index.ts'
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

/** Entries to write; undefined takes one away. */
export type Edits<T> = Readonly<Record<string, T | undefined>>

export interface Change<T, R> {
  readonly edits: Edits<T>
  readonly result: R
}

const MOST_ATTEMPTS = 10

/** A map of names to small values in one Secret, shared by all replicas. Changes are read, made and written as one step. */
export class SecretTable<T> {
  readonly #options: SecretTableOptions<T>
  #turn: Promise<unknown> = Promise.resolve()

  constructor(options: SecretTableOptions<T>) {
    this.#options = options
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

  /** Durable when it resolves. `change` is asked again where somebody else was faster; no edits write nothing. */
  update<R>(change: (entries: ReadonlyMap<string, T>) => Change<T, R>, signal?: AbortSignal): Promise<R> {
    // Writers of one process queue up here instead of losing against each other at the API.
    const mine = this.#turn.then(() => this.#update(change, signal))
    this.#turn = mine.catch(() => undefined)
    return mine
  }

  async #update<R>(change: (entries: ReadonlyMap<string, T>) => Change<T, R>, signal?: AbortSignal): Promise<R> {
    for (let attempt = 1; ; attempt++) {
      signal?.throwIfAborted()
      const present = await this.#secret(signal)
      const { edits, result } = change(present ? this.parse(present) : new Map())
      if (Object.keys(edits).length === 0) return result
      try {
        const written = await this.#write(present, edits, signal)
        this.#options.onWritten?.(written)
        return result
      } catch (error) {
        const reason = reasonOfError(error)
        const isRace = reason === 'AlreadyExists' || reason === 'Conflict' || reason === 'NotFound'
        if (!isRace || attempt >= MOST_ATTEMPTS) throw error
      }
    }
  }

  async #write(present: Secret | undefined, edits: Edits<T>, signal?: AbortSignal): Promise<Secret> {
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
