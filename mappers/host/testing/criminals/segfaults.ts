import { criminal } from './criminal.ts'

/** As native code that follows a wrong pointer. */
export default criminal(() => process.kill(process.pid, 'SIGSEGV'))
