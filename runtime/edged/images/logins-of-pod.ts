import { describeError } from '../../../platform/lifecycle/index.ts'
import type { Pod } from '../pod/pod.ts'
import type { PodObjects } from '../pod/pod-objects.ts'
import { readPullSecret } from './pull-secret.ts'
import type { RegistryLogin } from './registry-logins.ts'

/** The logins of a pod's pull secrets. A secret that cannot be had or read is told of in `missing`, and is no failure. */
export async function loginsOfPod(pod: Pod, objects: PodObjects, signal: AbortSignal) {
  const names = [...new Set(pod.spec.imagePullSecrets.map(({ name }) => name).filter((name) => name !== ''))]
  const logins: RegistryLogin[] = []
  const missing: string[] = []
  for (const name of names) {
    const found = await read(pod, name, objects, signal)
    if (typeof found === 'string') missing.push(`${name}: ${found}`)
    else logins.push(...found)
  }
  return { logins, missing }
}

async function read(pod: Pod, name: string, objects: PodObjects, signal: AbortSignal) {
  try {
    const secret = await objects.secret(pod.namespace, name, signal)
    return secret ? readPullSecret(secret) : 'there is no such secret'
  } catch (error) {
    if (signal.aborted) throw error
    return describeError(error)
  }
}
