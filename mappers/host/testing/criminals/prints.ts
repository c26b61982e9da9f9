import { criminal } from './criminal.ts'

/** Prints what it finds in its environment, and far too much. */
export default criminal(() => {
  process.stdout.write(`secret: ${process.env['SKERRY_TEST_SECRET'] ?? 'none'}\n`)
  for (let line = 0; line < 5000; line++) process.stderr.write(`line ${line}\n`)
})
