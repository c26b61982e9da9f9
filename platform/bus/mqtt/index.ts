export * from './access.ts'
export * from './embedded-broker.ts'
