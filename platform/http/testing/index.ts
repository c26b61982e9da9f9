export * from './attacks.ts'
export * from './dial.ts'
export * from './stand.ts'
