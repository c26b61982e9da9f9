export * from './authority.ts'
export * from './csr.ts'
