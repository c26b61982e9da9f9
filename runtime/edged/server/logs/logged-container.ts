import type { Json, JsonObject } from '../../../../schemas/index.ts'
import { isObject, listIn, numberIn, objectIn, textIn } from '../../pod/json.ts'
import type { PodView } from '../../state/pod-view.ts'
import { KubeletRefusal } from '../answers.ts'

/** A container that has, or had, a log. */
export interface LoggedContainer {
  /** Without the name of its runtime. */
  readonly id: string
  /** The number in the name of its log. */
  readonly attempt: number
}

const LISTS = ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses']
const WHY: Readonly<Record<string, string>> = {
  ErrImagePull: "image can't be pulled",
  ImagePullBackOff: 'trying and failing to pull image',
}

/** The container of this name whose log is meant, or a refusal in the words of a kubelet. */
export function loggedContainer(
  {
    name: pod,
    status,
    view,
  }: { readonly name: string; readonly status: JsonObject; readonly view: PodView | undefined },
  name: string,
  isPrevious: boolean,
): LoggedContainer {
  const said = LISTS.flatMap((list) => listIn(status, list)).find((each) => textIn(each, 'name') === name)
  const refuse = (text: string) => new KubeletRefusal(400, text)
  const of = `container "${name}" in pod "${pod}"`
  if (!said) throw refuse(`${of} is not available`)
  const state = objectIn(said, 'state')
  const last = endOf(said, 'lastState')
  // While nothing runs, the last one is the one that was counted last.
  const lastOffset = isObject(state['waiting']) ? 0 : -1
  if (isPrevious) {
    if (!last) throw refuse(`previous terminated container "${name}" in pod "${pod}" not found`)
    return found(last, said, view, lastOffset)
  }
  if (isObject(state['running'])) return found(textIn(said, 'containerID') ?? '', said, view, 0)
  const ended = endOf(said, 'state')
  if (ended) return found(ended, said, view, 0)
  if (last) return found(last, said, view, lastOffset)
  if (isObject(state['terminated']) || isObject(objectIn(said, 'lastState')['terminated']))
    throw refuse(`${of} is terminated`)
  const reason = textIn(state['waiting'], 'reason')
  throw refuse(
    reason === undefined
      ? `${of} is waiting to start - no logs yet`
      : `${of} is waiting to start: ${WHY[reason] ?? reason}`,
  )
}

/** The id of a container that has ended. */
function endOf(said: Json, key: string): string | undefined {
  return textIn(objectIn(objectIn(said, key), 'terminated'), 'containerID') || undefined
}

/** Where the runtime does not know it, it is counted from the one that is shown. */
function found(shown: string, said: Json, view: PodView | undefined, offset: number): LoggedContainer {
  const id = shown.replace(/^[a-z0-9.-]+:\/\//, '')
  const attempt = view?.containers.find((each) => each.id === id)?.metadata.attempt
  return { id, attempt: attempt ?? Math.max(0, (numberIn(said, 'restartCount') ?? 0) + offset) }
}
