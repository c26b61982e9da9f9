import { silentLogger } from '../../log/logger.ts'
import { systemClock } from '../../time/system-clock.ts'
import { openStore } from '../open-store.ts'
import type { StoreCall } from '../store.ts'
import { pairs } from './pairs.ts'

/**
 * A process of its own for tests that kill it or take its disk away: `writer-process.ts FILE [add|put|backup]` writes without end,
 * many at once, and prints `ok KEY` for each that was acknowledged and `no CODE` for each that failed. `add`: one row more each
 * time; `put`: the same few rows over and over; `backup`: adds slowly, and makes backups, each told by `backup ok` or `backup CODE`. SIGTERM
 * closes the store.
 */
const [, , file = '', mode = 'add'] = process.argv
const codeOf = (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : String(error))

try {
  const store = await openStore(file, [pairs], { clock: systemClock, log: silentLogger })
  let next = 0
  process.on('SIGTERM', () => void store[Symbol.asyncDispose]().then(() => process.exit()))
  const callOf = (key: string): StoreCall =>
    mode === 'put'
      ? { statement: 'pairs.putBytes', parameters: [String(next % 20), new Uint8Array(2000).fill(next)] }
      : { statement: 'pairs.add', parameters: [key, next] }
  const write = async (): Promise<never> => {
    while (true) {
      const key = String(next++).padStart(8, '0')
      try {
        await store.write([callOf(key)])
        process.stdout.write(`ok ${key}\n`)
        if (mode === 'backup') await systemClock.sleep({ milliseconds: 5 })
      } catch (error) {
        process.stdout.write(`no ${codeOf(error)}\n`)
        await systemClock.sleep({ milliseconds: 5 })
      }
    }
  }
  const backUp = async (): Promise<never> => {
    while (true) {
      await systemClock.sleep({ milliseconds: 50 })
      try {
        await store.backup(2, new AbortController().signal)
        process.stdout.write('backup ok\n')
      } catch (error) {
        process.stdout.write(`backup ${codeOf(error)}\n`)
      }
    }
  }
  await Promise.all([...Array.from({ length: 20 }, write), ...(mode === 'backup' ? [backUp()] : [])])
} catch (error) {
  process.stdout.write(`unusable ${codeOf(error)}\n`)
}
