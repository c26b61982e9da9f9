export * from './json.ts'
export * from './numbers.ts'
export * from './pointer.ts'
