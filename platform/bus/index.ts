export * from './bus.ts'
export * from './event-bus.ts'
export * from './local-bus.ts'
