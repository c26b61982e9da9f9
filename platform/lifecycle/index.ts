export * from './errors.ts'
export * from './module.ts'
