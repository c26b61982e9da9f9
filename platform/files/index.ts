export { ensureDirectory, readFileIfPresent, removeFile, writeFileAtomic } from './atomic.ts'
export * from './lock.ts'
