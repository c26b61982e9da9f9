export * from './archive.ts'
export * from './open-store.ts'
export * from './store.ts'
export * from './store-module.ts'
