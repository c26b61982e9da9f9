export { ensureDirectory, readFileIfPresent, writeFileAtomic } from './atomic.ts'
export * from './lock.ts'
