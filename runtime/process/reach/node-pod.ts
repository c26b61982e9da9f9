import { RefusedError } from '../../../platform/lifecycle/index.ts'
import type { EdgedSocket } from './edged-socket.ts'

/** A Pod of Kubernetes with what is asked of it here; the rest is not looked at. */
export interface NodePod {
  readonly name: string
  readonly namespace: string
  readonly source: object
  /** Names in the order of the manifest; those of init containers come after the others. */
  readonly containers: readonly string[]
  readonly defaultContainer: string | undefined
}

const DEFAULT_CONTAINER = 'kubectl.kubernetes.io/default-container'

/** The pods of the node, by namespace and name. */
export async function nodePods(edged: Pick<EdgedSocket, 'json'>, signal: AbortSignal): Promise<readonly NodePod[]> {
  const list = await edged.json('/pods', signal)
  const pods = listIn(list, 'items').map(podOf)
  return pods.toSorted((a, b) => a.namespace.localeCompare(b.namespace) || a.name.localeCompare(b.name))
}

/** Rejects where the node has none of that name, and says what to do. */
export async function nodePod(
  edged: EdgedSocket,
  { namespace = 'default', name }: { readonly namespace?: string | undefined; readonly name: string },
  signal: AbortSignal,
): Promise<NodePod> {
  const pods = await nodePods(edged, signal)
  const found = pods.find((each) => each.name === name && each.namespace === namespace)
  if (found) return found
  const elsewhere = pods.find((each) => each.name === name)
  const hint = elsewhere ? `add -n ${elsewhere.namespace}` : 'skerry pods lists those that it has'
  throw new RefusedError(`this node has no pod ${name} in namespace ${namespace}: ${hint}`, {
    code: 'PROCESS_POD_UNKNOWN',
  })
}

/** The container that is meant, and what to say where nobody named one. */
export function chosenContainer(
  pod: NodePod,
  named: string | undefined,
): { readonly container: string; readonly note?: string } {
  const { containers, defaultContainer } = pod
  if (named !== undefined) {
    if (containers.includes(named)) return { container: named }
    throw new RefusedError(`pod ${pod.name} has no container ${named}; it has ${containers.join(', ')}`, {
      code: 'PROCESS_CONTAINER_UNKNOWN',
    })
  }
  const [first = ''] = containers
  const container = defaultContainer !== undefined && containers.includes(defaultContainer) ? defaultContainer : first
  if (containers.length === 1 || defaultContainer === container) return { container }
  return { container, note: `Defaulted container "${container}" out of: ${containers.join(', ')}` }
}

function podOf(source: unknown): NodePod {
  const metadata = fieldOf(source, 'metadata')
  const spec = fieldOf(source, 'spec')
  const names = ['containers', 'initContainers']
    .flatMap((list) => listIn(spec, list))
    .map((each) => fieldOf(each, 'name'))
  const named = fieldOf(fieldOf(metadata, 'annotations'), DEFAULT_CONTAINER)
  return {
    name: textOf(fieldOf(metadata, 'name')),
    namespace: textOf(fieldOf(metadata, 'namespace')),
    source: Object(source),
    containers: names.map(textOf),
    defaultContainer: typeof named === 'string' ? named : undefined,
  }
}

export function fieldOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined
}

export function listIn(value: unknown, key: string): readonly unknown[] {
  const found = fieldOf(value, key)
  return Array.isArray(found) ? found : []
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
