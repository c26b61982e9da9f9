export * from './load-config.ts'
export { nearest } from './nearest.ts'
