import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger as log } from '../platform/log/index.ts'
import { openStore, type Store } from '../platform/store/index.ts'
import { systemClock as clock } from '../platform/time/index.ts'
import { twinStoreDomain } from '../twin/index.ts'

/**
 * What durability costs: acknowledged writes of 1 KiB per second with `store.durability` full and normal, with so many callers
 * that each wait for their answer. The rounds alternate, so that a drift of the machine meets both. TMPDIR chooses the disk.
 */
const CALLERS = [1, 16, 256]
const ROUNDS = 3
const ROUND_MS = 700

const folder = await mkdtemp(join(tmpdir(), 'skerry-bench-'))
try {
  const open = (durability: 'full' | 'normal') =>
    openStore(join(folder, `${durability}.db`), [twinStoreDomain], { clock, log, durability })
  await using full = await open('full')
  await using normal = await open('normal')
  process.stdout.write('callers    full/s  normal/s  normal : full\n')
  for (const callers of CALLERS) {
    let withFull = 0
    let withNormal = 0
    for (let round = 0; round < ROUNDS; round++) {
      withFull = Math.max(withFull, await rate(full, callers))
      withNormal = Math.max(withNormal, await rate(normal, callers))
    }
    const columns = [String(callers).padStart(7), perSecond(withFull), perSecond(withNormal)]
    process.stdout.write(`${columns.join(' ')}  ${(withNormal / withFull).toFixed(1).padStart(13)}\n`)
  }
} finally {
  await rm(folder, { recursive: true, force: true })
}

async function rate(store: Store, callers: number): Promise<number> {
  const start = clock.monotonic()
  let count = 0
  const caller = async (id: number) => {
    for (; clock.monotonic() - start < ROUND_MS; count++) {
      const document = String(count).padEnd(1024, '.')
      await store.write([{ statement: 'twin.put', parameters: [`device-${id}`, document] }])
    }
  }
  await Promise.all(Array.from({ length: callers }, (_, id) => caller(id)))
  return (count * 1000) / (clock.monotonic() - start)
}

function perSecond(value: number): string {
  return Math.round(value).toLocaleString('en').padStart(9)
}
