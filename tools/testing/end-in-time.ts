import { isMainThread } from 'node:worker_threads'

/** How long a test file may take, ms; set by tools/test.ts. */
export const LIMIT = 'SKERRY_TEST_LIMIT_MS'
/** The exit code of a file that did not end. */
const OVERDUE = 70

const limit = Number(process.env[LIMIT])
// Loaded into each test file; programs and threads that a test starts may load it too, and are not meant.
if (isMainThread && limit > 0 && process.argv[1]?.endsWith('.test.ts')) {
  // What ends by itself is not kept for it. Node.js's own limit for a file ends no process (seen with 24).
  setTimeout(() => {
    const open = process.getActiveResourcesInfo().join(', ')
    process.stderr.write(`The file did not end within ${limit / 1000} s. Still open: ${open}\n`)
    process.exit(OVERDUE)
  }, limit).unref()
}
