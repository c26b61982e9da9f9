import { existsSync, globSync } from 'node:fs'
import { boundaryViolations } from './boundaries.ts'

const FOLDERS = [
  'schemas',
  'platform',
  'twin',
  'mappers',
  'hub',
  'runtime',
  'samples',
  'tools',
  'bench',
  'deploy',
].filter((folder) => existsSync(folder))

const { violations, modules } = await boundaryViolations('.', FOLDERS)
const files = globSync(`{${FOLDERS.join(',')}}/**/*.ts`).length
for (const violation of violations) process.stderr.write(`${violation.rule}: ${violation.from} -> ${violation.to}\n`)
// A tool that cannot read the language reports no violations of no modules, and success.
if (modules < files) process.stderr.write(`the boundary check saw ${modules} modules of ${files} files\n`)
process.exitCode = violations.length > 0 || modules < files ? 1 : 0
