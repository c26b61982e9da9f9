import type { PodSpec } from '../pod/schema/pod-spec.ts'
import type { ContainerRecord } from './container-record.ts'
import type { Terminated } from './container-state.ts'

export type Phase = 'Pending' | 'Running' | 'Succeeded' | 'Failed'
type RestartPolicy = PodSpec['restartPolicy']

/** A pod in it never leaves it. */
export function isTerminal(phase: string | undefined): phase is 'Succeeded' | 'Failed' {
  return phase === 'Succeeded' || phase === 'Failed'
}

export interface PhaseFacts {
  readonly restartPolicy: RestartPolicy
  /** A container of its present sandbox that is no init container was made: sidecars that start anew make it Pending no more. */
  readonly isInitialized: boolean
  /** It ends, and nothing of it runs. */
  readonly isOver: boolean
}

/** The phase that follows from its containers, as a kubelet computes it (getPhase of kubelet_pods.go). Sidecars do not hold it back. */
export function phaseOf(
  records: readonly ContainerRecord[],
  { restartPolicy, isInitialized, isOver }: PhaseFacts,
): Phase {
  const [inits, sidecars, apps] = (['init', 'sidecar', 'app'] as const).map((role) =>
    records.filter((each) => each.role === role),
  )
  if (!inits || !sidecars || !apps) return 'Pending'
  const failures = inits.flatMap((each) => failureOf(each) ?? [])
  if (failures.some(({ exitCode }) => !isRestarted(restartPolicy, exitCode))) return 'Failed'
  const isInitializing = inits.some((each) => !hasPassed(each) && failureOf(each) === undefined)
  if (isInitializing || (!isInitialized && sidecars.some(isStarting))) return 'Pending'
  if (apps.some(isWaitingForFirst) || sidecars.some(isWaitingForFirst)) return 'Pending'
  if ([...apps, ...sidecars].some(({ state }) => state.is === 'running')) return 'Running'
  return endOf(apps, restartPolicy, isOver)
}

/** Of a pod none of whose containers runs, and each of which has ended at least once. */
function endOf(apps: readonly ContainerRecord[], restartPolicy: RestartPolicy, isOver: boolean): Phase {
  const codes = apps.map((each) => endedWith(each)?.exitCode ?? 0)
  if (!isOver && codes.some((code) => isRestarted(restartPolicy, code))) return 'Running'
  const hasSucceeded = apps.every(({ state }) => state.is === 'terminated' && state.exitCode === 0)
  return hasSucceeded ? 'Succeeded' : 'Failed'
}

function isRestarted(restartPolicy: RestartPolicy, exitCode: number): boolean {
  return restartPolicy === 'Always' || (restartPolicy === 'OnFailure' && exitCode !== 0)
}

function endedWith({ state, last }: ContainerRecord): Terminated | undefined {
  if (state.is === 'terminated') return state
  return state.is === 'waiting' ? last : undefined
}

function hasPassed({ state }: ContainerRecord): boolean {
  return state.is === 'terminated' && state.exitCode === 0
}

/** Of an init container that failed, and does not run again yet. */
function failureOf(record: ContainerRecord): Terminated | undefined {
  const end = endedWith(record)
  return end && end.exitCode !== 0 ? end : undefined
}

function isWaitingForFirst({ state, last }: ContainerRecord): boolean {
  return state.is === 'waiting' && last === undefined
}

/** A sidecar that does not serve yet, and did not before. */
function isStarting(sidecar: ContainerRecord): boolean {
  return sidecar.state.is === 'running' ? !sidecar.isStarted : isWaitingForFirst(sidecar)
}
