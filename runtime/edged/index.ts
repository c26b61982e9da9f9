export { openContainerRuntime } from './cri/cri-runtime.ts'
export { USUAL_SOCKETS } from './cri/late-channel.ts'
export type { RuntimeStatus } from './cri/runtime.ts'
export { createPodAccess, type PodAccessOptions } from './twins/create-pod-access.ts'
