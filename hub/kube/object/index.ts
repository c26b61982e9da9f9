export * from './access.ts'
export * from './names.ts'
