import type { Row, StoreCall } from '../../../../platform/store/index.ts'
import type { Frame } from '../../../../schemas/index.ts'
import type { FakeKubernetes } from '../../../cloud/testing/fake-kubernetes.ts'
import type { OutboxLimits } from '../../../edge/outbox/outbox.ts'
import type { FrameMoment } from '../parts/cloud-run.ts'
import type { Machine } from '../parts/machine.ts'
import type { Replica } from '../parts/replica.ts'

/** Something that Skerry promises, as a world watches over it. Each has its row on docs/explanation/delivery.md. */
export interface Witness {
  /** As the page names it. */
  readonly name: string
  /** A group of writes is durable; called once for each write. */
  onCommitted?(machine: Machine, calls: readonly StoreCall[]): void
  /** A frame is handed to a connection, or arrives. */
  onFrame?(node: string, way: 'up' | 'down', frame: Frame, at: FrameMoment): void
  /** The disk of a machine is another one. */
  onSetback?(machine: Machine): void
  /** At moments of the history. What is broken, or nothing. */
  sample?(): string | undefined
  /** Everything works again: what is not so yet. Asked until it is so, or it has taken too long. */
  atRest?(): Promise<string | undefined>
}

/** What a witness sees of the world. */
export interface Scene {
  /** Virtual ms. */
  readonly now: number
  readonly cluster: FakeKubernetes
  readonly machines: readonly Machine[]
  readonly replicas: readonly Replica[]
  readonly limits: OutboxLimits
  /** Kind in the plural of each object that was deleted from the API, by its uid. */
  readonly deleted: ReadonlyMap<string, string>
  /** `<device id>/<property>/<value>` of what clients of edges have wished for. */
  readonly wishes: ReadonlySet<string>
  /** By whom and when the records of what nodes have were written last. */
  readonly recordWrites: ReadonlyMap<string, { readonly run: number; readonly at: number }>
  /** When the API was in trouble last, virtual ms; it may have taken what it has not answered. */
  readonly troubledAt: number
  /** Backups of the API that were put back. */
  readonly apiSetbacks: number
  machine(node: string): Machine | undefined
  /** User messages that this machine has counted as dropped. */
  droppedMessages(machine: Machine): number
  violate(promise: string, detail: string): void
}

export type MakeWitness = (scene: Scene) => Witness

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
