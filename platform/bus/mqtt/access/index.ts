export { hashPassword } from './password-hash.ts'
export { passwordLine, refuseUserName, withPasswordLine } from './password-lines.ts'
