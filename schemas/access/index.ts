export * from './cloud-access.ts'
export * from './kubelet-client-access.ts'
