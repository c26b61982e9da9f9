import type { DeviceId } from '../../../../schemas/index.ts'
import type { Disk, Snapshot } from '../ground/disk.ts'
import type { WallClock } from '../ground/process-clock.ts'
import type { Edge } from './edge.ts'
import type { Thing } from './mapper.ts'

/** A gateway in the field: what outlives the process that runs on it. */
export class Machine {
  readonly node: string
  readonly wall: WallClock = { offset: 0 }
  readonly disk: Disk
  readonly #things = new Map<DeviceId, Thing>()
  /** Processes that ran here, with the present one. */
  runs = 0
  edge: Edge | undefined
  backup: Snapshot | undefined
  /** Backups that were put back, and disks that were changed: what was on the disk is no more what was promised. */
  setbacks = 0

  constructor(node: string, disk: Disk) {
    this.node = node
    this.disk = disk
  }

  get isRunning(): boolean {
    return this.edge?.isServing === true && !this.edge.clock.isDead
  }

  thing(id: DeviceId): Thing {
    const found = this.#things.get(id)
    if (found) return found
    const made: Thing = { values: new Map(), isOnline: true, refuses: new Set() }
    this.#things.set(id, made)
    return made
  }

  get things(): ReadonlyMap<DeviceId, Thing> {
    return this.#things
  }
}
