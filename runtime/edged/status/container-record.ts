import type { Json, JsonObject } from '../../../schemas/index.ts'
import { listIn, numberIn, objectIn, textIn } from '../pod/json.ts'
import { isSidecar } from '../pod/pod.ts'
import type { Container } from '../pod/schema/container.ts'
import { ANNOTATIONS } from '../state/labels.ts'
import type { ContainerView } from '../state/pod-view.ts'
import {
  type ContainerState,
  lost,
  passed,
  readState,
  readTerminated,
  type Terminated,
  terminatedOf,
  wholeSeconds,
} from './container-state.ts'
import type { StatusInput } from './status-input.ts'

/** What is known of one container of a pod. */
export interface ContainerRecord {
  readonly container: Container
  readonly role: 'init' | 'sidecar' | 'app'
  readonly state: ContainerState
  /** How the one before the present one ended. */
  readonly last: Terminated | undefined
  readonly restartCount: number
  readonly isStarted: boolean
  readonly isReady: boolean
  /** `containerd://<id>`; empty before there is one. */
  readonly containerId: string
  readonly image: string
  readonly imageId: string
}

/** Its past: what an earlier status said, whether or not the runtime still knows. */
interface Past {
  readonly state: ContainerState | undefined
  readonly last: Terminated | undefined
  readonly restartCount: number
  readonly containerId: string
  readonly image: string
  readonly imageId: string
}

type Present = Pick<ContainerRecord, 'state' | 'last'>

/** Init containers (sidecars among them) in their order, then the others in theirs. `before` is the status before this one. */
export function containerRecords(input: StatusInput, before: JsonObject): readonly ContainerRecord[] {
  const { initContainers, containers } = input.pod.spec
  const pastOf = (key: string, name: string) =>
    readPast(listIn(before, key).find((each) => textIn(each, 'name') === name))
  return [
    ...initContainers.map((each) =>
      recordOf(input, each, isSidecar(each) ? 'sidecar' : 'init', pastOf('initContainerStatuses', each.name)),
    ),
    ...containers.map((each) => recordOf(input, each, 'app', pastOf('containerStatuses', each.name))),
  ]
}

function recordOf(
  input: StatusInput,
  container: Container,
  role: ContainerRecord['role'],
  past: Past,
): ContainerRecord {
  const [newest, second] = input.view.containers.filter(({ metadata }) => metadata.name === container.name)
  const present = newest ? found(input, newest, second, past) : forgotten(input, role, past)
  const { state, last } = explained(input, container.name, role, present)
  const results = newest && state.is === 'running' ? input.resultsOf(newest.id) : undefined
  const isStarted = results?.isStarted ?? false
  const hasPassed = role === 'init' && state.is === 'terminated' && state.exitCode === 0
  return {
    ...{ container, role, state, last, isStarted },
    isReady: hasPassed || (isStarted && results?.isReady === true),
    restartCount: restarts(input, newest, past),
    containerId: newest ? idOf(input, newest) : past.containerId,
    image: newest?.image || past.image || container.image,
    imageId: newest?.imageRef || past.imageId,
  }
}

/** Where the runtime has it. The one before it may be known from the earlier status alone. */
function found(input: StatusInput, newest: ContainerView, second: ContainerView | undefined, past: Past): Present {
  const id = idOf(input, newest)
  const older = second?.state === 'exited' ? ended(input, second) : olderThan(id, past)
  if (newest.state === 'running')
    return { state: { is: 'running', startedAt: wholeSeconds(newest.startedAt) }, last: older }
  if (newest.state === 'exited') return { state: ended(input, newest), last: older }
  const hasRun = newest.state === 'unknown' && past.containerId === id && past.state?.is !== 'waiting'
  return { state: hasRun ? lost(id) : beginning(input), last: older }
}

function olderThan(id: string, { state, last, containerId }: Past): Terminated | undefined {
  if (containerId !== id && state?.is === 'terminated') return state
  if (containerId !== id && state?.is === 'running') return lost(containerId)
  return last?.containerId === id ? undefined : last
}

/** Where the runtime has it not: not yet, or no more. */
function forgotten(input: StatusInput, role: ContainerRecord['role'], { state, last, containerId }: Past): Present {
  if (state?.is === 'terminated') return { state, last }
  const apps = new Set(input.pod.spec.containers.map(({ name }) => name))
  const isPast = role === 'init' && input.view.containers.some(({ metadata }) => apps.has(metadata.name))
  if (isPast) return { state: passed(), last }
  return { state: beginning(input), last: state?.is === 'running' ? lost(containerId) : last }
}

/** With the reason for which it does not run, of a container that is to run again. */
function explained(input: StatusInput, name: string, role: ContainerRecord['role'], present: Present): Present {
  const { state, last } = present
  const reason = input.waiting.get(name)
  const isToRun = !input.isEnding && input.ended === undefined && state.is !== 'running'
  const hasPassed = role === 'init' && state.is === 'terminated' && state.exitCode === 0
  if (!reason || !isToRun || hasPassed) return present
  return { state: { is: 'waiting', ...reason }, last: state.is === 'terminated' ? state : last }
}

/** What a kubelet says of a container that nothing is known of. */
function beginning({ pod, obstacle }: StatusInput): ContainerState {
  const reason = pod.spec.initContainers.length > 0 ? 'PodInitializing' : 'ContainerCreating'
  return { is: 'waiting', reason, message: obstacle?.message ?? '' }
}

/** Never less than was said before; one that was lost while it ran counts, since it is made again. */
function restarts(input: StatusInput, newest: ContainerView | undefined, past: Past): number {
  if (newest) {
    const counted = Number(newest.annotations[ANNOTATIONS.restartCount])
    return Math.max(past.restartCount, Number.isInteger(counted) ? counted : newest.metadata.attempt)
  }
  const isLost = past.state?.is === 'running' && !input.isEnding && input.ended === undefined
  return isLost ? past.restartCount + 1 : past.restartCount
}

function ended(input: StatusInput, container: ContainerView): Terminated {
  return terminatedOf(container, idOf(input, container), input.lastWords.get(container.id))
}

function idOf({ runtimeName }: StatusInput, { id }: ContainerView): string {
  return `${runtimeName}://${id}`
}

function readPast(status: Json | undefined): Past {
  return {
    state: readState(objectIn(status, 'state')),
    last: readTerminated(objectIn(status, 'lastState')),
    restartCount: numberIn(status, 'restartCount') ?? 0,
    containerId: textIn(status, 'containerID') ?? '',
    image: textIn(status, 'image') ?? '',
    imageId: textIn(status, 'imageID') ?? '',
  }
}
