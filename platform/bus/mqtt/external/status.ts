import type { Scope } from '../../../lifecycle/module.ts'

export type Role = 'subscribe' | 'publish'

/** What keeps the external broker from being used, in words for `skerry status`. */
export class Status {
  readonly #url: string
  readonly #reasons = new Map<Role, string>()
  #refused: readonly string[] = []
  #scope: Scope | undefined

  constructor(url: string) {
    this.#url = url
  }

  follow(scope: Scope): void {
    this.#scope = scope
    this.set('subscribe', 'connecting')
    this.set('publish', 'connecting')
  }

  isUp(role: Role): boolean {
    return !this.#reasons.has(role)
  }

  set(role: Role, reason: string | undefined): void {
    if (reason === undefined) this.#reasons.delete(role)
    else this.#reasons.set(role, reason)
    this.#show()
  }

  refuses(filters: readonly string[]): void {
    this.#refused = filters
    this.#show()
  }

  #show(): void {
    const [reason] = this.#reasons.values()
    const [filter, ...more] = this.#refused
    const others = more.length > 0 ? ` and ${more.length} more` : ''
    const refusal = filter === undefined ? undefined : `it refuses the subscription to ${filter}${others}`
    const why = reason ?? refusal
    this.#scope?.pending(why === undefined ? undefined : `the MQTT broker at ${this.#url} (${why})`)
  }
}
