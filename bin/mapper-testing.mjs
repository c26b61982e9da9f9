// What `skerry/mapper/testing` is for a program of its own, such as the tests of a mapper. In a checkout it is the sources.
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const source = fileURLToPath(new URL('../mappers/testing/index.ts', import.meta.url))
const compiled = fileURLToPath(new URL('../dist/mappers/testing/index.js', import.meta.url))

export const { checkMapper, checks, defineSubject, describeMapper, resultText, runCheck, summaryText } = createRequire(
  import.meta.url,
)(existsSync(source) ? source : compiled)
