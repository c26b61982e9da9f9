export * from './config.ts'
export * from './endpoints.ts'
export * from './mqtt.ts'
export * from './user-messages.ts'
