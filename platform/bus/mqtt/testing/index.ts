export * from './external.ts'
export * from './mosquitto.ts'
export * from './start-broker.ts'
