import type { ServerResponse } from 'node:http'
import { type Duration, minutes, withDeadline } from '../../../../platform/time/index.ts'
import type { Json } from '../../../../schemas/index.ts'
import { listIn, objectIn, textIn } from '../../pod/json.ts'
import { KubeletRefusal } from '../answers.ts'
import { lookAt } from '../look-at.ts'
import type { ServedPod, ServedPods } from '../served-pods.ts'
import type { ServerPorts } from '../server-ports.ts'
import { LogFolder } from './log-folder.ts'
import { logOptions } from './log-options.ts'
import { type LoggedContainer, loggedContainer } from './logged-container.ts'
import { readLog } from './read-log.ts'

/** So long a reader may take nothing: people leave a pager open. */
const STUCK = minutes(240)

/** `/containerLogs/{namespace}/{pod}/{container}` of a kubelet. */
export async function serveLogs(
  { pods: known, clock }: Pick<ServerPorts, 'pods' | 'clock'>,
  asked: {
    readonly namespace: string
    readonly pod: string
    readonly container: string
    readonly query: URLSearchParams
  },
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const { request, isPrevious } = logOptions(asked.query, clock.now())
  const pods = known()
  const pod = pods?.get(asked.namespace, asked.pod)
  if (!pods || !pod) throw new KubeletRefusal(404, `pod "${asked.pod}" does not exist`)
  if (!hasContainer(pod, asked.container))
    throw new KubeletRefusal(404, `container "${asked.container}" not found in pod "${asked.pod}"`)
  const { view } = await lookAt(pods, pod.uid, clock, signal)
  const logged = loggedContainer({ name: pod.name, status: pod.status, view }, asked.container, isPrevious)
  const { root, folder: name } = pods.logsOf(pod)
  await using folder = await LogFolder.open(root, [name, asked.container], logged.id)
  if (!folder) throw noLog(logged)
  const isRunning = () => mayRun(pods, pod, logged)
  const source = { folder, name: `${logged.attempt}.log`, isRunning, clock }
  if (!(await hasLog(folder, source.name)) && !(request.follow && isRunning())) throw noLog(logged)
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' })
  response.flushHeaders()
  for await (const piece of readLog(source, request, signal)) {
    if (!response.write(piece)) await drained(response, { clock, within: STUCK, signal })
  }
  response.end()
}

function hasContainer({ source }: ServedPod, name: string): boolean {
  const spec: Json = objectIn(source, 'spec')
  const lists = ['containers', 'initContainers', 'ephemeralContainers']
  return lists.some((list) => listIn(spec, list).some((each) => textIn(each, 'name') === name))
}

async function hasLog(folder: LogFolder, name: string): Promise<boolean> {
  await using file = await folder.file(name)
  return file !== undefined || (await folder.rotated(name)).length > 0
}

/** While the runtime does not answer, it is taken to run. */
function mayRun(pods: ServedPods, { uid }: ServedPod, { id }: LoggedContainer): boolean {
  if (pods.problem !== undefined) return true
  const state = pods.view(uid)?.containers.find((each) => each.id === id)?.state
  return state === 'running' || state === 'created'
}

function noLog({ id }: LoggedContainer): KubeletRefusal {
  return new KubeletRefusal(400, `unable to retrieve container logs for ${id}: its log is not on this node any more`)
}

interface Patience {
  readonly clock: ServerPorts['clock']
  readonly within: Duration
  readonly signal: AbortSignal
}

function drained(response: ServerResponse, { clock, within, signal }: Patience): Promise<void> {
  return withDeadline(clock, within, signal, () => new Promise((resolve) => response.once('drain', () => resolve())))
}
