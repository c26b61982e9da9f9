import { criminal } from './criminal.ts'

/** As native code that finds its memory broken. */
export default criminal(() => process.abort())
