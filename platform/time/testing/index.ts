export * from './fake-clock.ts'
export * from './forward-clock.ts'
