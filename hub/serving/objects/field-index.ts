import type { ApiObject } from '../../kube/resource.ts'
import { fieldText } from '../../kube/selectors/index.ts'

/** Which objects hold which text in a field, as field selectors read it. */
export class FieldIndex {
  readonly #field: string
  readonly #keys = new Map<string, Set<string>>()

  constructor(field: string) {
    this.#field = field
  }

  /** `before` and `after` are two states of one object; undefined where there is none. */
  change(key: string, before: ApiObject | undefined, after: ApiObject | undefined): void {
    const old = before && fieldText(before, this.#field)
    const now = after && fieldText(after, this.#field)
    if (old === now) return
    if (old !== undefined) this.#remove(old, key)
    if (now === undefined) return
    const keys = this.#keys.get(now) ?? new Set()
    this.#keys.set(now, keys.add(key))
  }

  /** In no order. */
  keysOf(value: string): ReadonlySet<string> {
    return this.#keys.get(value) ?? new Set()
  }

  #remove(value: string, key: string): void {
    const keys = this.#keys.get(value)
    keys?.delete(key)
    if (keys?.size === 0) this.#keys.delete(value)
  }
}
