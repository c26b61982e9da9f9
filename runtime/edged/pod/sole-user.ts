import type { Pod } from './pod.ts'

/** Whom all containers of a pod run as, where that is said and one. */
export function soleUser({ spec }: Pick<Pod, 'spec'>): number | undefined {
  const users = [...spec.initContainers, ...spec.containers].map(
    ({ securityContext }) => securityContext.runAsUser ?? spec.securityContext.runAsUser,
  )
  return new Set(users).size === 1 ? users[0] : undefined
}
