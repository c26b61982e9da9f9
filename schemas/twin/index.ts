export * from './twin.ts'
