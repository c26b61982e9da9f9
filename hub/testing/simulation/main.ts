import { parseArgs } from 'node:util'
import { live } from './history.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    from: { type: 'string' },
    count: { type: 'string' },
    trace: { type: 'boolean' },
  },
})
const first = Number(values.seed ?? values.from ?? 0)
const count = Number(values.count ?? 1)
const began = process.cpuUsage()
let failed = 0
let lasted = 0
let moments = 0
const worst = new Map<string, number>()
for (let seed = first; seed < first + count; seed++) {
  const outcome = await live(String(seed), { keepsTrace: values.trace === true })
  lasted += outcome.lasted
  moments += outcome.moments
  for (const line of outcome.trace) process.stdout.write(`${line}\n`)
  if (count === 1)
    process.stdout.write(`seed ${seed}: ${outcome.hash}, ${outcome.lasted / 1000} s, ${outcome.moments} moments\n`)
  for (const { promise, detail, at } of outcome.violations.slice(0, 1)) {
    failed++
    worst.set(promise, (worst.get(promise) ?? 0) + 1)
    process.stdout.write(`seed ${seed} breaks "${promise}" at ${at / 1000} s: ${detail.slice(0, 700)}\n`)
  }
}
const { user, system } = process.cpuUsage(began)
process.stdout.write(
  `${count} histories, ${failed} broken ${JSON.stringify(Object.fromEntries(worst))}, ${((user + system) / 1000 / count).toFixed(1)} ms each, ${(lasted / count / 1000).toFixed(0)} s and ${(moments / count).toFixed(0)} moments on average\n`,
)
process.exit(failed > 0 ? 1 : 0)
