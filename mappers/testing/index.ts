export * from './describe-mapper.ts'
