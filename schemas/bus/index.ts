export * from './declare.ts'
export * from './messages.ts'
