import { posix } from 'node:path'
import type { ContainerSecurity, Image, SecurityProfile } from '../cri/runtime.ts'
import { ObstacleError } from '../pod/obstacle.ts'
import type { Pod } from '../pod/pod.ts'
import type { Container } from '../pod/schema/container.ts'
import type { Profile } from '../pod/schema/security.ts'
import { namespacesOf, supplementalGroups } from '../sandbox/namespaces.ts'

/** Where a kubelet has the profiles of seccomp that pods name. */
const SECCOMP_PROFILES = '/var/lib/kubelet/seccomp'

/** The defaults of container runtimes; a runtime leaves them away for privileged containers. */
const MASKED_PATHS = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
]
const READONLY_PATHS = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger']

/**
 * What a container may do, of its own and its pod's security context; the container's words count. Throws an ObstacleError where
 * the pod forbids root and the container would be it.
 */
export function containerSecurity(
  pod: Pod,
  container: Container,
  image: Image,
  seccompProfiles = SECCOMP_PROFILES,
): ContainerSecurity {
  const ofPod = pod.spec.securityContext
  const own = container.securityContext
  const effective = {
    runAsUser: own.runAsUser ?? ofPod.runAsUser,
    runAsGroup: own.runAsGroup ?? ofPod.runAsGroup,
    selinux: own.seLinuxOptions ?? ofPod.seLinuxOptions,
    apparmor: own.appArmorProfile ?? ofPod.appArmorProfile,
  }
  if (own.runAsNonRoot ?? ofPod.runAsNonRoot) refuseRoot(pod, container, image, effective.runAsUser)
  const groups = supplementalGroups(pod)
  return {
    ...userOf(effective.runAsUser, image),
    ...(effective.runAsGroup === undefined ? {} : { runAsGroup: { value: effective.runAsGroup } }),
    ...(groups.length > 0 ? { supplementalGroups: groups } : {}),
    ...(effective.selinux ? { selinuxOptions: effective.selinux } : {}),
    ...(own.capabilities
      ? { capabilities: { addCapabilities: own.capabilities.add, dropCapabilities: own.capabilities.drop } }
      : {}),
    privileged: own.privileged ?? false,
    readonlyRootfs: own.readOnlyRootFilesystem ?? false,
    noNewPrivs: own.allowPrivilegeEscalation === false,
    seccomp: seccompOf(own.seccompProfile ?? ofPod.seccompProfile, seccompProfiles),
    ...(effective.apparmor ? { apparmor: apparmorOf(effective.apparmor) } : {}),
    maskedPaths: MASKED_PATHS,
    readonlyPaths: READONLY_PATHS,
    namespaceOptions: namespacesOf(pod),
  }
}

/** Named always, since a runtime takes a group only with a user (CRI, run_as_group). An image that names nobody runs as root. */
function userOf(runAsUser: number | undefined, { uid, username }: Image) {
  if (runAsUser !== undefined) return { runAsUser: { value: runAsUser } }
  if (uid === undefined && username !== '') return { runAsUsername: username }
  return { runAsUser: { value: uid ?? 0 } }
}

function refuseRoot(pod: Pod, container: Container, { uid, username }: Image, runAsUser: number | undefined): void {
  const place = `(pod: "${pod.name}_${pod.namespace}(${pod.uid})", container: ${container.name})`
  if (runAsUser !== undefined) {
    if (runAsUser === 0) throw obstacle(`container's runAsUser breaks non-root policy ${place}`)
    return
  }
  if (uid === undefined && username !== '') {
    const what = `image has non-numeric user (${username}), cannot verify user is non-root`
    throw obstacle(`container has runAsNonRoot and ${what} ${place}`)
  }
  if ((uid ?? 0) === 0) throw obstacle(`container has runAsNonRoot and image will run as root ${place}`)
}

/** Kubernetes' default is none. */
function seccompOf(profile: Profile | undefined, directory: string): SecurityProfile {
  if (profile?.type !== 'Localhost') return { profileType: profile?.type ?? 'Unconfined' }
  const name = posix.normalize(profile.localhostProfile ?? '')
  if (name === '.' || name.startsWith('/') || /^\.\.(\/|$)/.test(name)) {
    throw obstacle(`seccompProfile.localhostProfile has to be a file below ${directory}`)
  }
  return { profileType: 'Localhost', localhostRef: posix.join(directory, name) }
}

function apparmorOf({ type, localhostProfile = '' }: Profile): SecurityProfile {
  if (type !== 'Localhost') return { profileType: type }
  if (localhostProfile === '') throw obstacle('missing localhost apparmor profile name')
  return { profileType: 'Localhost', localhostRef: localhostProfile }
}

function obstacle(message: string): ObstacleError {
  return new ObstacleError({ reason: 'CreateContainerConfigError', message })
}
