import type { Clock } from '../../../platform/time/index.ts'
import { resourceVersionOf } from '../../kube/object/index.ts'
import type { ObjectStore } from '../storage/object-store.ts'

/** For so long what was allocated is held for a Service that is still being written. */
const HELD_MS = 30_000

/** What Services that are still being written will have. Who is refused and comes again finds what he asked for. */
export interface Held<T> {
  hold(value: T, owner: string): void
  /** What others than this one hold. */
  byOthers(owner: string): readonly T[]
  release(owner: string): void
}

interface Hold {
  readonly owner: string
  readonly until: number
  /** Of the store, when it began. */
  readonly version: number
}

export function createHeld<T>(store: Pick<ObjectStore, 'get' | 'version'>, clock: Clock): Held<T> {
  const held = new Map<T, Hold>()
  /** Once it is written, what is stored counts. */
  const isOver = ({ owner, until, version }: Hold) => {
    const stored = store.get('/services', owner)
    return until <= clock.now() || (stored !== undefined && Number(resourceVersionOf(stored)) > version)
  }
  return {
    hold(value, owner) {
      held.set(value, { owner, until: clock.now() + HELD_MS, version: store.version })
    },
    byOthers(owner) {
      for (const [value, hold] of held) if (isOver(hold)) held.delete(value)
      return [...held].filter(([, each]) => each.owner !== owner).map(([value]) => value)
    },
    release(owner) {
      for (const [value, hold] of held) if (hold.owner === owner) held.delete(value)
    },
  }
}
