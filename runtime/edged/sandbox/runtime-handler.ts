import { ObstacleError } from '../pod/obstacle.ts'
import type { Pod } from '../pod/pod.ts'

/**
 * Which handler of the container runtime runs a pod, by its runtimeClassName; empty: the default one. `handlers` are those that
 * the runtime says it has. One that says nothing of them refuses by itself those it has not.
 */
export function runtimeHandler({ name, namespace, uid, spec }: Pod, handlers: readonly string[]): string {
  const wanted = spec.runtimeClassName ?? ''
  if (wanted === '' || handlers.length === 0 || handlers.includes(wanted)) return wanted
  const known = handlers.filter((handler) => handler !== '').join(', ')
  const why = `RuntimeClass "${wanted}" not found: the container runtime of this node has ${known || 'the default one only'}`
  const message = `Failed to create sandbox for pod "${name}_${namespace}(${uid})": ${why}`
  throw new ObstacleError({ reason: 'FailedCreatePodSandBox', message })
}
