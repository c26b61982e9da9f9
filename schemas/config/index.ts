export * from './config.ts'
export * from './endpoints.ts'
export * from './user-messages.ts'
