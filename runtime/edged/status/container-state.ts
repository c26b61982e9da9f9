import type { Json, JsonObject } from '../../../schemas/index.ts'
import { isObject, numberIn, textIn } from '../pod/json.ts'
import type { ContainerView } from '../state/pod-view.ts'

/** A ContainerState of Kubernetes. */
export type ContainerState = Waits | { readonly is: 'running'; readonly startedAt: string } | Terminated

export interface Waits {
  readonly is: 'waiting'
  readonly reason: string
  readonly message: string
}

export interface Terminated {
  readonly is: 'terminated'
  readonly exitCode: number
  /** Empty where nobody knows. */
  readonly containerId: string
  /** As it is shown; of an earlier status exactly what was shown then. */
  readonly shown: JsonObject
}

/** 128 + SIGKILL: what Kubernetes says of a container whose end nobody saw. */
const LOST_EXIT_CODE = 137

/** The end of a container as the runtime tells it, with what the container itself said. */
export function terminatedOf(container: ContainerView, containerId: string, lastWords: string | undefined): Terminated {
  const { exitCode, startedAt, finishedAt } = container
  const reason = container.reason || (exitCode === 0 ? 'Completed' : 'Error')
  const message = [container.message, lastWords ?? ''].filter((text) => text !== '').join(': ')
  return terminated({
    ...{ exitCode, reason },
    ...(message === '' ? {} : { message }),
    ...(startedAt > 0 ? { startedAt: wholeSeconds(startedAt) } : {}),
    ...(finishedAt > 0 ? { finishedAt: wholeSeconds(finishedAt) } : {}),
    containerID: containerId,
  })
}

/** Reason of the end of a container that the runtime has forgotten. */
export const LOST = 'ContainerStatusUnknown'

/** The end of a container that ran and is not found any more. */
export function lost(containerId = ''): Terminated {
  return terminated({
    exitCode: LOST_EXIT_CODE,
    reason: LOST,
    message: 'The container could not be located: it used to be running, and how it ended is not known',
    ...(containerId === '' ? {} : { containerID: containerId }),
  })
}

/** The end of an init container that is not found any more, of a pod whose containers were made after it. */
export function passed(): Terminated {
  return terminated({
    exitCode: 0,
    reason: 'Completed',
    message: 'The container could not be located: it has succeeded, as containers after it were made',
  })
}

/** Of a status that was shown before; undefined where it says nothing. */
export function readState(state: Json | undefined): ContainerState | undefined {
  if (!isObject(state)) return undefined
  if (isObject(state['terminated'])) return terminated(state['terminated'])
  if (isObject(state['running'])) return { is: 'running', startedAt: textIn(state['running'], 'startedAt') ?? '' }
  if (!isObject(state['waiting'])) return undefined
  const { waiting } = state
  return { is: 'waiting', reason: textIn(waiting, 'reason') ?? '', message: textIn(waiting, 'message') ?? '' }
}

export function readTerminated(state: Json | undefined): Terminated | undefined {
  const read = readState(state)
  return read?.is === 'terminated' ? read : undefined
}

/** As in a ContainerStatus; an empty object for none. */
export function shownState(state: ContainerState | undefined): JsonObject {
  if (state === undefined) return {}
  if (state.is === 'terminated') return { terminated: state.shown }
  if (state.is === 'running') return { running: state.startedAt === '' ? {} : { startedAt: state.startedAt } }
  const { reason, message } = state
  return { waiting: { reason, ...(message === '' ? {} : { message }) } }
}

/** RFC 3339 in UTC, as Kubernetes writes times. */
export function wholeSeconds(unixMs: number): string {
  return new Date(unixMs).toISOString().replace(/\.\d+Z$/, 'Z')
}

function terminated(shown: JsonObject): Terminated {
  const exitCode = numberIn(shown, 'exitCode') ?? 0
  return { is: 'terminated', exitCode, containerId: textIn(shown, 'containerID') ?? '', shown }
}
