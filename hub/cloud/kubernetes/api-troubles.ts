import { describeError } from '../../../platform/lifecycle/index.ts'
import { detailOfError } from './errors.ts'

/** Kinds that the API does not tell of just now, and why: for people who wonder why nothing moves. */
export class ApiTroubles {
  readonly #kinds = new Map<string, string>()
  /** Told of what is waited for; undefined where the API tells of everything. */
  onChange: (waitsFor: string | undefined) => void = () => undefined

  failed(kind: string, error: unknown): void {
    const detail = detailOfError(error)
    this.#kinds.set(kind, `${describeError(error)}${detail === '' ? '' : `: ${detail}`}`)
    this.onChange(this.text)
  }

  answered(kind: string): void {
    if (this.#kinds.delete(kind)) this.onChange(this.text)
  }

  /** Whether the API tells of none of these kinds: it is away, or lets nobody in. */
  isSilentOn(kinds: readonly string[]): boolean {
    return kinds.length > 0 && kinds.every((kind) => this.#kinds.has(kind))
  }

  get text(): string | undefined {
    const [first] = this.#kinds
    if (!first) return undefined
    const more = this.#kinds.size - 1
    const kinds = `${first[0]}${more === 0 ? '' : ` and ${more} more ${more === 1 ? 'kind' : 'kinds'}`}`
    return `the Kubernetes API, for news of ${kinds} (${first[1]})`
  }
}
