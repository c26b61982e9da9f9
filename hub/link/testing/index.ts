export * from './go-wire.ts'
export * from './memory-link.ts'
