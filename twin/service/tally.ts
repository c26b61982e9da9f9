import type { DeviceId, Quality, Twin } from '../../schemas/index.ts'

export type Counts = Readonly<Record<Quality | 'stale', number>>

const KEYS = ['good', 'uncertain', 'bad', 'stale'] as const
const NOTHING: Counts = { good: 0, uncertain: 0, bad: 0, stale: 0 }

/** How many properties have which quality, those that were never read with success among the bad, and how many are stale; kept along with each commit, so that a scrape costs nothing. */
export class Tally {
  readonly #devices = new Map<DeviceId, Counts>()
  #sum: Counts = NOTHING

  get counts(): Counts {
    return this.#sum
  }

  follow(id: DeviceId, twin: Twin | undefined): void {
    const before = this.#devices.get(id) ?? NOTHING
    const after = { ...NOTHING }
    for (const name in twin?.properties) {
      const { reported, unread } = twin.properties[name] ?? {}
      if (!reported && unread) after.bad++
      if (!reported) continue
      after[reported.quality]++
      if (reported.stale) after.stale++
    }
    // Nearly always: another value of the same quality.
    if (twin && KEYS.every((key) => before[key] === after[key])) return
    if (twin) this.#devices.set(id, after)
    else this.#devices.delete(id)
    const sum = { ...this.#sum }
    for (const key of KEYS) sum[key] += after[key] - before[key]
    this.#sum = sum
  }
}
