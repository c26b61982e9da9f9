export * from './conditions.ts'
export * from './signers.ts'
