export { ensureDirectory, readFileIfPresent, removeFile, writeFileAtomic } from './atomic.ts'
export * from './follow-files.ts'
export { LineFile, type LineFileOptions } from './line-file.ts'
export * from './lock.ts'
