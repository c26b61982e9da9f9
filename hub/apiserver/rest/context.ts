import type { Logger } from '../../../platform/log/index.ts'
import type { ApiObject, ResourceDefinition } from '../../kube/resource.ts'
import type { Registry } from '../../serving/objects/registry.ts'
import type { ReadContext } from '../../serving/reading/context.ts'
import type { Warn } from '../../serving/requests/resource-request.ts'
import type { User } from '../../serving/user.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import type { AccountTokens } from './account-tokens.ts'

/** One change that admission may refuse. */
export interface Admission {
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE'
  readonly definition: ResourceDefinition
  readonly subresource: string
  readonly namespace: string
  readonly name: string
  readonly object: ApiObject | undefined
  readonly before: ApiObject | undefined
  readonly dryRun: boolean
  readonly user: User
}

/** Admission plugins in a row: each may change the object, then each may refuse. Throws a Status; `warn` reaches the client. */
export interface Admitter {
  mutate(admission: Admission, warn: Warn, signal: AbortSignal): Promise<ApiObject | undefined>
  validate(admission: Admission, warn: Warn, signal: AbortSignal): Promise<void>
}

/** What every request needs. */
export interface ApiContext extends ReadContext {
  readonly store: ObjectStore
  readonly registry: Registry
  readonly admitter: Admitter
  readonly log: Logger
  /** Absent: no tokens are issued. */
  readonly accounts?: AccountTokens
  /** Answers what is asked by creating an object of a kind that is never kept. Throws a Status. */
  readonly reviews?: Reviewer
}

/** The object with its answer in `status`. */
export type Reviewer = (change: Change, question: ApiObject) => Promise<ApiObject>

/** On whose behalf, and how, an object is changed. */
export interface Change {
  readonly definition: ResourceDefinition
  readonly namespace: string
  readonly user: User
  readonly dryRun: boolean
  readonly fieldValidation: 'Ignore' | 'Warn' | 'Strict'
  /** Under which name metadata.managedFields tells of it; may be empty. */
  readonly manager: string
  readonly warn: Warn
  readonly signal: AbortSignal
}

/** Changes that the server makes by itself. */
export const SYSTEM_USER: User = { name: 'system:apiserver', groups: ['system:masters'] }

/** As which the controllers of this process write; the server itself is `kube-apiserver`. */
export const CONTROLLER_MANAGER = 'kube-controller-manager'

export function systemChange(
  definition: ResourceDefinition,
  namespace: string,
  signal: AbortSignal,
  manager = 'kube-apiserver',
): Change {
  return {
    definition,
    namespace,
    user: SYSTEM_USER,
    dryRun: false,
    fieldValidation: 'Ignore',
    manager,
    warn: () => undefined,
    signal,
  }
}
