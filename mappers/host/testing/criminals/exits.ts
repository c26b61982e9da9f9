import { criminal } from './criminal.ts'

/** Ends what it takes for its own process. */
export default criminal(() => process.exit(7))
