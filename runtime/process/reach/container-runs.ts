import { type Clock, seconds } from '../../../platform/time/index.ts'
import type { EdgedSocket } from './edged-socket.ts'
import { fieldOf, listIn, nodePods } from './node-pod.ts'

export interface RunOf {
  readonly namespace: string
  readonly name: string
  readonly container: string
}

const LOOK_EVERY = seconds(1)

/**
 * Ids of the runs of a container: the one of now at once, and each later one, also where that began while the one before was looked at,
 * until there will be none: its pod is over, ends, or is gone.
 */
export async function* containerRuns(
  edged: Pick<EdgedSocket, 'json'>,
  of: RunOf,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<string> {
  let last = await seen(edged, of, signal)
  if (last) yield last.id
  while (last) {
    await clock.sleep(LOOK_EVERY, signal)
    const now = await seen(edged, of, signal)
    if (now && now.id !== last.id && now.id !== '') yield now.id
    else if (now?.isOver !== false) return
    last = { ...now, id: now.id || last.id }
  }
}

/** Undefined: its pod is gone. The id is that of the container that runs, or has run last. */
async function seen(edged: Pick<EdgedSocket, 'json'>, { namespace, name, container }: RunOf, signal: AbortSignal) {
  const pods = await nodePods(edged, signal)
  const source = pods.find((each) => each.namespace === namespace && each.name === name)?.source
  if (!source) return undefined
  const status = fieldOf(source, 'status')
  const statuses = ['containerStatuses', 'initContainerStatuses'].flatMap((list) => listIn(status, list))
  const own = statuses.find((each) => fieldOf(each, 'name') === container)
  const phase = fieldOf(status, 'phase')
  const isEnding = fieldOf(fieldOf(source, 'metadata'), 'deletionTimestamp') !== undefined
  const ended = fieldOf(fieldOf(own, 'state'), 'terminated')
  // One that ended for good is shown as ended; one that is to begin anew waits.
  const isOver = isEnding || phase === 'Succeeded' || phase === 'Failed' || fieldOf(ended, 'reason') === 'Completed'
  return { id: String(fieldOf(own, 'containerID') ?? ''), isOver }
}
