import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { lintFile } from './lint-rules.ts'

/** Files that git knows or would take. */
function gitFiles(...patterns: readonly string[]): readonly string[] {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard', ...patterns], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  return listed.split('\0').filter((file) => file !== '' && existsSync(file))
}

/** The lock file must install from whichever registry a machine uses, so nothing of the tree names one. */
function registryFindings(): readonly string[] {
  return gitFiles('package-lock.json', '*.npmrc', '*.json', '*.md', '.ci', '*.yaml', '*.yml')
    .filter((file) => registryOf(readFileSync(file, 'utf8')))
    .map(
      (file) => `${file}: names a package registry; install with omit-lockfile-registry-resolved=true (.npmrc has it)`,
    )
}

function registryOf(text: string): boolean {
  return /"resolved": *"https?:|^\s*(@[^:\s]+:)?registry *=|https?:\/\/(registry|npm)\.[a-z]/m.test(text)
}

const findings = [
  ...gitFiles('*.ts').flatMap((file) =>
    lintFile(file, readFileSync(file, 'utf8')).map(
      (each) => `${each.file}:${each.line}: ${each.message} (${each.rule})`,
    ),
  ),
  ...registryFindings(),
]
for (const finding of findings) process.stderr.write(`${finding}\n`)
process.exitCode = findings.length > 0 ? 1 : 0
