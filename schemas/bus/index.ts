export * from './declare.ts'
export * from './messages.ts'
export * from './topics.ts'
