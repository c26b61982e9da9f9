import type { Row, StoreCall } from '../../../../platform/store/index.ts'
import type { Frame } from '../../../../schemas/index.ts'
import type { Machine } from '../parts/machine.ts'
import type { World } from '../world.ts'

/** Something that Skerry promises, as a world watches over it. Each has its row on docs/explanation/delivery.md. */
export interface Witness {
  /** As the page names it. */
  readonly name: string
  /** A group of writes is durable; called once for each write. */
  onCommitted?(machine: Machine, calls: readonly StoreCall[]): void
  /** A frame is handed to a connection, or arrives. */
  onFrame?(node: string, way: 'up' | 'down', frame: Frame, isArrival: boolean): void
  /** The disk of a machine is another one. */
  onSetback?(machine: Machine): void
  /** At moments of the history. What is broken, or nothing. */
  sample?(): string | undefined
  /** Everything works again: what is not so yet. Asked until it is so, or it has taken too long. */
  atRest?(): Promise<string | undefined>
}

export type MakeWitness = (world: World) => Witness

/** A property of plain JSON, however deep; undefined where there is none. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let present = value
  for (const step of path) {
    if (typeof present !== 'object' || present === null) return undefined
    present = Reflect.get(present, step)
  }
  return present
}

export function textOf(row: Row, column: string): string {
  return String(row[column] ?? '')
}

/** JSON with sorted keys. */
export function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_key, part: unknown) =>
      typeof part === 'object' && part !== null && !Array.isArray(part)
        ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
        : part,
    ) ?? ''
  )
}
