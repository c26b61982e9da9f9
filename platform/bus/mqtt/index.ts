export * from './access.ts'
export * from './embedded-broker.ts'
export * from './options.ts'
