import type { RoleRef, Subject } from './policy-rule.ts'

/** What a binding gives to one of its subjects. */
export interface Grant {
  readonly binding: string
  /** Empty for a ClusterRoleBinding. */
  readonly namespace: string
  readonly roleRef: RoleRef
  readonly subject: Subject
}

/** Bindings of one namespace, or those of the cluster, by who they are for. */
export class SubjectIndex {
  readonly #namespace: string
  readonly #grants = new Map<string, Map<string, Grant>>()
  readonly #keys = new Map<string, readonly string[]>()

  constructor(namespace: string) {
    this.#namespace = namespace
  }

  get isEmpty(): boolean {
    return this.#keys.size === 0
  }

  put(binding: string, roleRef: RoleRef, subjects: readonly Subject[]): void {
    this.remove(binding)
    const keys: string[] = []
    for (const subject of subjects) {
      const key = keyOf(subject, this.#namespace)
      if (key === undefined) continue
      const ofKey = this.#grants.get(key) ?? new Map<string, Grant>()
      this.#grants.set(key, ofKey)
      if (!ofKey.has(binding)) ofKey.set(binding, { binding, namespace: this.#namespace, roleRef, subject })
      keys.push(key)
    }
    this.#keys.set(binding, keys)
  }

  remove(binding: string): void {
    for (const key of this.#keys.get(binding) ?? []) {
      const ofKey = this.#grants.get(key)
      ofKey?.delete(binding)
      if (ofKey?.size === 0) this.#grants.delete(key)
    }
    this.#keys.delete(binding)
  }

  /** Of a user by name, then by each group; a binding may come more than once. */
  *of(name: string, groups: readonly string[]): Generator<Grant> {
    yield* this.#grants.get(`User ${name}`)?.values() ?? []
    for (const group of groups) yield* this.#grants.get(`Group ${group}`)?.values() ?? []
  }
}

/** A service account is the user that its tokens name. */
function keyOf({ kind, name, namespace }: Subject, own: string): string | undefined {
  if (kind === 'User' || kind === 'Group') return `${kind} ${name}`
  const home = namespace || own
  return kind === 'ServiceAccount' && home !== '' ? `User system:serviceaccount:${home}:${name}` : undefined
}
