import type { StoreCall } from '../../../../platform/store/index.ts'
import type { Twin } from '../../../../schemas/index.ts'
import { parseTwin } from '../../../../schemas/index.ts'
import type { Machine } from '../parts/machine.ts'
import { type Scene, textOf, type Witness } from './promise.ts'

const NAME = 'durable before acknowledged'

/** What a client of the edge wished for, until it is answered. */
interface Wish {
  readonly machine: Machine
  readonly id: string
  readonly property: string
  readonly value: string
  isDurable: boolean
}

/**
 * A wish of an MQTT client that was acknowledged is on the disk, and stays the desired value until another wish or a change in
 * the API takes its place. The revision of a twin only grows.
 */
export class DurableWishes implements Witness {
  readonly name = NAME
  readonly #scene: Scene
  readonly #open = new Set<Wish>()
  readonly #twins = new Map<Machine, Map<string, Twin>>()

  constructor(scene: Scene) {
    this.#scene = scene
  }

  asked(machine: Machine, id: string, property: string, value: string): Wish {
    const present = this.#twinsOf(machine).get(id)?.properties[property]?.desired
    const wish = { machine, id, property, value, isDurable: present?.value === value }
    this.#open.add(wish)
    return wish
  }

  /** `isTaken`: the client was told that it holds. */
  answered(wish: Wish, isTaken: boolean): void {
    this.#open.delete(wish)
    if (!isTaken || wish.isDurable) return
    const { machine, id, property, value } = wish
    this.#scene.violate(NAME, `${machine.node}: ${property}=${value} of ${id} was acknowledged and is not on the disk`)
  }

  onCommitted(machine: Machine, calls: readonly StoreCall[]): void {
    for (const { statement, parameters } of calls) {
      const id = String(parameters[0])
      if (statement === 'twin.remove') this.#gone(machine, id)
      if (statement === 'twin.put') this.#take(machine, id, parseTwin(String(parameters[1])))
    }
  }

  onSetback(machine: Machine): void {
    this.#twins.delete(machine)
  }

  #take(machine: Machine, id: string, twin: Twin | undefined): void {
    if (!twin) {
      this.#scene.violate(NAME, `${machine.node}: the twin of ${id} is written so that it cannot be read`)
      return
    }
    const twins = this.#twinsOf(machine)
    const before = twins.get(id)
    if (before && before.uid !== twin.uid) this.#gone(machine, id)
    twins.set(id, twin)
    for (const wish of this.#open) {
      if (wish.machine !== machine || wish.id !== id) continue
      if (twin.properties[wish.property]?.desired?.value === wish.value) wish.isDurable = true
    }
    if (!before || before.uid !== twin.uid) return
    if (twin.revision < before.revision)
      this.#scene.violate(NAME, `${machine.node}: the revision of ${id} went back to ${twin.revision}`)
    for (const [property, { desired, intent }] of Object.entries(before.properties)) {
      const now = twin.properties[property]
      if (desired?.origin !== 'edge' || !now || now.desired?.value === desired.value) continue
      const isWished = [...this.#open].some((wish) => wish.id === id && wish.value === now.desired?.value)
      const isIntended = now.desired?.origin === 'cloud' && now.intent?.generation !== intent?.generation
      if (!isWished && !isIntended)
        this.#scene.violate(
          NAME,
          `${machine.node}: the wish ${property}=${desired.value} of ${id} is gone without a cause`,
        )
    }
  }

  /** With its device a wish goes, also one that was made just before and shares its commit. */
  #gone(machine: Machine, id: string): void {
    this.#twinsOf(machine).delete(id)
    for (const wish of this.#open) if (wish.machine === machine && wish.id === id) wish.isDurable = true
  }

  #twinsOf(machine: Machine): Map<string, Twin> {
    const found = this.#twins.get(machine)
    if (found) return found
    const twins = machine.disk.rows('twin.all').flatMap((row) => parseTwin(textOf(row, 'document')) ?? [])
    const made = new Map(twins.map((twin) => [twin.id, twin]))
    this.#twins.set(machine, made)
    return made
  }
}
