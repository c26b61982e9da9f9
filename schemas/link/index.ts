export * from './frame.ts'
export * from './twin-sync.ts'
