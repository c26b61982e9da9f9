export * from './device.ts'
export * from './kubernetes.ts'
export * from './merge.ts'
export * from './value.ts'
