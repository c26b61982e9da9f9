import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'

/**
 * `npm run bench [NAME[:PART...] ...]`: runs bench/NAME.bench.ts, or all; only these parts of it, where it has parts. Each prints
 * ratios measured in one run.
 */
const wanted = new Map(process.argv.slice(2).map((word) => [word.split(':')[0] ?? '', word.split(':').slice(1)]))
const files = globSync('bench/*.bench.ts').sort()
const nameOf = (file: string) => file.slice(6, -9)
const chosen = wanted.size === 0 ? files : files.filter((file) => wanted.has(nameOf(file)))
if (chosen.length < Math.max(1, wanted.size)) {
  process.stderr.write(`no such benchmark; there are: ${files.map(nameOf).join(', ')}\n`)
  process.exitCode = 1
} else {
  for (const file of chosen) {
    process.stdout.write(`\n# ${file}\n`)
    const { status } = spawnSync(process.execPath, [file, ...(wanted.get(nameOf(file)) ?? [])], { stdio: 'inherit' })
    if (status !== 0) process.exitCode = 1
  }
}
