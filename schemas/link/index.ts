export * from './frame.ts'
export * from './node.ts'
export * from './resource.ts'
export * from './twin-sync.ts'
