export { existingIdentity, type IdentityFiles, identityFiles, readIdentity } from './identity-files.ts'
export * from './join-node.ts'
export * from './token.ts'
