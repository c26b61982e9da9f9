import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { lintFile } from './lint-rules.ts'

/** Source files that git knows or would take. */
function sourceFiles(): readonly string[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts'], {
    encoding: 'utf8',
  })
  return listed.split('\n').filter((file) => file !== '' && existsSync(file))
}

/** The lock file must install from whichever registry a machine uses. */
function lockFindings(): readonly string[] {
  const lock = readFileSync('package-lock.json', 'utf8')
  return /"resolved": *"https?:/.test(lock)
    ? [
        'package-lock.json: records download addresses; install with omit-lockfile-registry-resolved=true (.npmrc has it)',
      ]
    : []
}

const findings = [
  ...sourceFiles().flatMap((file) =>
    lintFile(file, readFileSync(file, 'utf8')).map(
      (each) => `${each.file}:${each.line}: ${each.message} (${each.rule})`,
    ),
  ),
  ...lockFindings(),
]
for (const finding of findings) process.stderr.write(`${finding}\n`)
process.exitCode = findings.length > 0 ? 1 : 0
