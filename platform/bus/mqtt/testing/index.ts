export * from './start-broker.ts'
