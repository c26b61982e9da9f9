import { describeError, SkerryError, UnavailableError } from '../../../../platform/lifecycle/index.ts'
import type { Json } from '../../../../schemas/index.ts'
import { listIn, objectIn, textIn } from '../../pod/json.ts'
import { readySandbox } from '../../state/pod-view.ts'
import { KubeletRefusal } from '../answers.ts'
import type { KubeletPath } from '../kubelet-path.ts'
import { lookAt } from '../look-at.ts'
import type { ServedPod } from '../served-pods.ts'
import type { ServerPorts } from '../server-ports.ts'
import { forwardedPorts, streamOptions } from './stream-options.ts'

export type StreamPath = Exclude<KubeletPath, { what: 'logs' }>

export interface AskedStream {
  readonly path: StreamPath
  readonly query: URLSearchParams
  readonly isWebSocket: boolean
}

/** Where the container runtime serves the stream, for one connection. Rejects in the words of a kubelet. */
export async function streamUrl(ports: ServerPorts, asked: AskedStream, signal: AbortSignal): Promise<URL> {
  const { path, query } = asked
  const pods = ports.pods()
  const pod = pods?.get(path.namespace, path.pod)
  if (!pods || !pod) throw new KubeletRefusal(404, 'pod does not exist')
  if (path.uid !== undefined && path.uid !== pod.uid && path.uid !== pod.shownUid)
    throw new KubeletRefusal(404, 'pod not found')
  // Said before the runtime is asked.
  const wanted = path.what === 'portForward' ? undefined : streamOptions(query)
  const forwarded = wanted ? [] : forwardedPorts(query, asked.isWebSocket)
  const { view, problem } = await lookAt(pods, pod.uid, ports.clock, signal)
  if (problem !== undefined) throw new KubeletRefusal(503, `the container runtime does not answer: ${problem}`)
  if (path.what === 'portForward' || !wanted) {
    const sandbox = view && readySandbox(view)
    if (!sandbox) throw new KubeletRefusal(500, `pod not found ("${pod.name}_${pod.namespace}")`)
    return asUrl(ports.runtime.portForward(sandbox.id, forwarded, signal))
  }
  const named = view?.containers.find(({ metadata, state }) => metadata.name === path.container && state === 'running')
  if (!named) throw new KubeletRefusal(500, notFound(path.what, path.container, pod))
  if (path.what === 'exec') {
    const cmd = query.getAll('command')
    if (cmd.length === 0) throw new KubeletRefusal(400, 'you must specify at least one command for the container')
    return asUrl(ports.runtime.exec({ containerId: named.id, cmd, ...wanted }, signal))
  }
  // Whether it has a terminal was decided when it was made.
  const tty = hasTerminal(pod, path.container)
  const stderr = wanted.stderr && !tty
  return asUrl(ports.runtime.attach({ containerId: named.id, ...wanted, stderr, tty }, signal))
}

function notFound(what: 'exec' | 'attach', container: string, { name, namespace }: ServedPod): string {
  return what === 'exec'
    ? `container not found ("${container}")`
    : `container ${container} not found in pod ${name}_${namespace}`
}

function hasTerminal({ source }: ServedPod, name: string): boolean {
  const spec: Json = objectIn(source, 'spec')
  const all = ['containers', 'initContainers'].flatMap((list) => listIn(spec, list))
  return all.some((each) => textIn(each, 'name') === name && objectIn({ each }, 'each')['tty'] === true)
}

async function asUrl(answer: Promise<string>): Promise<URL> {
  try {
    const url = new URL(await answer)
    if (url.protocol === 'http:') return url
  } catch (error) {
    if (!(error instanceof SkerryError)) throw error
    throw new KubeletRefusal(error instanceof UnavailableError ? 503 : 500, describeError(error))
  }
  throw new KubeletRefusal(
    500,
    'the container runtime serves streams over TLS, which is not supported: turn it off in its configuration (containerd: enable_tls_streaming)',
  )
}
