import { KUBERNETES_VERSION, kubernetesVersionText } from '../../../schemas/index.ts'

const { major, minor } = KUBERNETES_VERSION

/** What `/version` says: the Kubernetes line whose API is served, and who serves it. Constant, so that clients can cache. */
export const VERSION = {
  major,
  minor,
  emulationMajor: major,
  emulationMinor: minor,
  minCompatibilityMajor: major,
  minCompatibilityMinor: String(Number(minor) - 1),
  gitVersion: `${kubernetesVersionText()}+skerry`,
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '2026-01-01T00:00:00Z',
  goVersion: 'none',
  compiler: 'none',
  platform: 'linux/amd64',
} as const
