/**
 * The Kubernetes whose kinds Skerry knows: that of the models which its schemas are made from. The embedded API serves it, and edges are
 * made for it; both say so, and a test holds it against the models.
 */
export const KUBERNETES_VERSION = { major: '1', minor: '36', patch: '0' } as const

/** `v1.36.0`. */
export function kubernetesVersionText(): string {
  const { major, minor, patch } = KUBERNETES_VERSION
  return `v${major}.${minor}.${patch}`
}
