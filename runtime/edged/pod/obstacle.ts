import { UnavailableError } from '../../../platform/lifecycle/index.ts'

/** Why a container waits, as users of Kubernetes know it: `CreateContainerConfigError`, `ImagePullBackOff`. */
export interface Waiting {
  /** CamelCase, for machines. */
  readonly reason: string
  /** A sentence, for people. */
  readonly message: string
}

/** A pod cannot go on now; shown in its status, and tried again. */
export class ObstacleError extends UnavailableError {
  readonly waiting: Waiting

  constructor(waiting: Waiting, cause?: unknown) {
    super('A pod cannot go on now', { code: 'EDGED_POD_WAITS', fields: { ...waiting }, cause })
    this.waiting = waiting
  }
}
