export * from './memory-link.ts'
