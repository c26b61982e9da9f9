import { ObstacleError } from '../pod/obstacle.ts'
import type { Pod } from '../pod/pod.ts'
import { shortHostname } from '../pod/short-hostname.ts'

/** Linux, `struct utsname`. */
const LONGEST_FQDN = 64
const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/

export interface HostnameInput {
  readonly pod: Pod
  readonly nodeName: string
  readonly clusterDomain?: string
}

/** What a pod's processes see as the name of their machine. Throws an ObstacleError where it cannot be a name. */
export function hostnameOf({ pod, nodeName, clusterDomain = 'cluster.local' }: HostnameInput): string {
  const { hostname = '', subdomain = '', hostNetwork, setHostnameAsFQDN } = pod.spec
  if (hostNetwork) return nodeName
  if (hostname !== '' && !LABEL.test(hostname))
    throw obstacle(pod, `pod Hostname "${hostname}" is not a valid DNS label`)
  if (subdomain !== '' && !LABEL.test(subdomain)) {
    throw obstacle(pod, `pod Subdomain "${subdomain}" is not a valid DNS label`)
  }
  const short = shortHostname(pod)
  if (subdomain === '' || !setHostnameAsFQDN) return short
  const full = `${short}.${subdomain}.${pod.namespace}.svc.${clusterDomain}`
  if (full.length <= LONGEST_FQDN) return full
  const counts = `${LONGEST_FQDN} characters is the max, ${full.length} characters requested`
  throw obstacle(
    pod,
    `failed to construct FQDN from pod hostname and cluster domain, FQDN ${full} is too long (${counts})`,
  )
}

function obstacle({ name, namespace, uid }: Pod, why: string): ObstacleError {
  const message = `Failed to generate sandbox config for pod "${name}_${namespace}(${uid})": ${why}`
  return new ObstacleError({ reason: 'FailedCreatePodSandBox', message })
}
