export * from './tunnel-pair.ts'
