export * from './change-log.ts'
export * from './events.ts'
