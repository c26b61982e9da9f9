import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'

/** `npm run bench [NAME ...]`: runs bench/NAME.bench.ts, or all. Each prints ratios measured in one run. */
const names = process.argv.slice(2)
const files = globSync('bench/*.bench.ts').sort()
const chosen =
  names.length === 0 ? files : files.filter((file) => names.some((name) => file === `bench/${name}.bench.ts`))
if (chosen.length < Math.max(1, names.length)) {
  process.stderr.write(`no such benchmark; there are: ${files.map((file) => file.slice(6, -9)).join(', ')}\n`)
  process.exitCode = 1
} else {
  for (const file of chosen) {
    process.stdout.write(`\n# ${file}\n`)
    const { status } = spawnSync(process.execPath, [file], { stdio: 'inherit' })
    if (status !== 0) process.exitCode = 1
  }
}
