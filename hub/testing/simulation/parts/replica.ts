import type { ApiConditions } from '../ground/api-client.ts'
import type { WallClock } from '../ground/process-clock.ts'
import type { Cloud } from './cloud.ts'

/** Where one of the cloud halves runs: what outlives its processes. */
export class Replica {
  readonly name: string
  readonly wall: WallClock = { offset: 0 }
  /** How the API is for this one alone. */
  trouble: ApiConditions | undefined
  cloud: Cloud | undefined
  killer = new AbortController()

  constructor(name: string) {
    this.name = name
  }

  get isRunning(): boolean {
    return this.cloud !== undefined && !this.cloud.clock.isDead
  }

  kill(): void {
    this.cloud?.kill()
    this.killer.abort()
  }
}
