import type { Pod } from './pod.ts'

/** Linux, `struct utsname`: 64 bytes, of which Kubernetes gives a name 63. */
const LONGEST = 63

/** The name of a pod's machine without its domain. Cut off, it must not end in what no name ends in. */
export function shortHostname({ name, spec }: Pick<Pod, 'name' | 'spec'>): string {
  return (spec.hostname || name).slice(0, LONGEST).replace(/[-.]+$/, '')
}
