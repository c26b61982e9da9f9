export * from './declare.ts'
export * from './messages.ts'
export * from './plain-topics.ts'
export * from './topics.ts'
