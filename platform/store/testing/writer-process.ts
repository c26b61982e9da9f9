import { silentLogger } from '../../log/logger.ts'
import { systemClock } from '../../time/system-clock.ts'
import { openStore } from '../open-store.ts'
import { pairs } from './pairs.ts'

/**
 * A process of its own for tests that kill it or take its disk away: `writer-process.ts FILE` adds rows without end, many at
 * once, and prints `ok KEY` for each that was acknowledged and `no CODE` for each that failed.
 */
const store = await openStore(process.argv[2] ?? '', [pairs], { clock: systemClock, log: silentLogger })
let next = 0

async function write(): Promise<never> {
  while (true) {
    const key = String(next++).padStart(8, '0')
    try {
      await store.write([{ statement: 'pairs.add', parameters: [key, next] }])
      process.stdout.write(`ok ${key}\n`)
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
      process.stdout.write(`no ${code}\n`)
      await systemClock.sleep({ milliseconds: 5 })
    }
  }
}

await Promise.all(Array.from({ length: 20 }, write))
