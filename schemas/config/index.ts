export * from './config.ts'
export * from './endpoints.ts'
