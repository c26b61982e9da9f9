import type { Labels, Metrics } from '../../../../platform/health/index.ts'

/** What the parts of a process count, to be read by those who hold them to their promises. */
export class Counting implements Metrics {
  readonly #counters = new Map<string, number>()
  readonly #gauges = new Map<string, () => number>()

  counter({ name }: { readonly name: string }) {
    return {
      add: (count = 1, labels?: Labels) => {
        const key = keyOf(name, labels)
        this.#counters.set(key, (this.#counters.get(key) ?? 0) + count)
      },
    }
  }

  gauge({ name }: { readonly name: string }) {
    return {
      set: (value: number, labels?: Labels) => void this.#gauges.set(keyOf(name, labels), () => value),
      follow: (read: () => number, labels?: Labels) => {
        this.#gauges.set(keyOf(name, labels), read)
        return { [Symbol.dispose]: () => undefined }
      },
    }
  }

  histogram() {
    return { observe: () => undefined }
  }

  async text(): Promise<string> {
    return ''
  }

  count(name: string, labels?: Labels): number {
    return this.#counters.get(keyOf(name, labels)) ?? 0
  }

  level(name: string, labels?: Labels): number {
    return this.#gauges.get(keyOf(name, labels))?.() ?? 0
  }
}

function keyOf(name: string, labels: Labels | undefined): string {
  return labels ? `${name} ${Object.values(labels).join(' ')}` : name
}
