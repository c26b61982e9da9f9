export * from './access.ts'
export * from './conditions.ts'
export * from './names.ts'
