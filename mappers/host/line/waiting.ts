import type { DeviceId, DeviceReport, PropertyReading, WriteResult } from '../../../schemas/index.ts'

/** Most readings and write results kept for one device while the twin does not answer. */
const MOST_WAITING = 1000
/** Most that a device recorded while it was away. */
const MOST_RECORDED = 5000

/** What one device has to say, in its order. Newer readings replace older ones; those that were recorded, or written, stay. */
export class Waiting {
  readonly #steps: Step[] = []
  #recorded = 0

  /** How many had to be dropped. */
  add(readings: readonly PropertyReading[], writes: readonly WriteResult[]): number {
    let step = this.#steps.at(-1)
    if (!step || step.isRecorded) {
      step = new Step(false)
      this.#steps.push(step)
    }
    return step.add(readings, writes)
  }

  /** Each reading of a property is a step of its own for the twin. Returns how many had to be dropped. */
  record(reading: PropertyReading): number {
    const last = this.#steps.at(-1)
    if (last?.isRecorded && !last.has(reading.property)) {
      last.add([reading], [])
      return 0
    }
    const step = new Step(true)
    step.add([reading], [])
    this.#steps.push(step)
    this.#recorded++
    return this.#recorded > MOST_RECORDED ? this.#dropOldest() : 0
  }

  /** What was said after this. */
  append(newer: Waiting): number {
    let dropped = 0
    for (const step of newer.#steps) {
      if (step.isRecorded) for (const reading of step.readings) dropped += this.record(reading)
      else dropped += this.add(step.readings, step.writes)
    }
    return dropped
  }

  reports(id: DeviceId): readonly DeviceReport[] {
    return this.#steps.map(({ readings, writes }) => ({ id, readings, writes }))
  }

  #dropOldest(): number {
    this.#recorded--
    const at = this.#steps.findIndex(({ isRecorded }) => isRecorded)
    return this.#steps.splice(at, 1)[0]?.readings.length ?? 0
  }
}

class Step {
  readonly isRecorded: boolean
  readonly readings: PropertyReading[] = []
  readonly writes: WriteResult[] = []
  /** Where the reading of a property is that the next one replaces. Those that belong to write results are not replaced. */
  readonly #places = new Map<string, number>()

  constructor(isRecorded: boolean) {
    this.isRecorded = isRecorded
  }

  has(property: string): boolean {
    return this.#places.has(property)
  }

  add(readings: readonly PropertyReading[], writes: readonly WriteResult[]): number {
    for (const reading of readings) {
      const place = this.#places.get(reading.property)
      if (place === undefined) this.#places.set(reading.property, this.readings.push(reading) - 1)
      else this.readings[place] = reading
    }
    if (writes.length > 0) {
      this.writes.push(...writes)
      this.#places.clear()
    }
    const tooMany = Math.max(0, this.readings.length - MOST_WAITING)
    const tooManyWrites = Math.max(0, this.writes.length - MOST_WAITING)
    if (tooMany > 0) this.#dropReadings(tooMany)
    this.writes.splice(0, tooManyWrites)
    return tooMany + tooManyWrites
  }

  #dropReadings(count: number): void {
    this.readings.splice(0, count)
    for (const [property, place] of [...this.#places]) {
      if (place < count) this.#places.delete(property)
      else this.#places.set(property, place - count)
    }
  }
}
