export { hashPassword } from './access/password-hash.ts'
export { passwordLine, refuseUserName, withPasswordLine } from './access/password-lines.ts'
export * from './embedded-broker.ts'
export * from './options.ts'
