import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { needs } from '../../tools/testing/needs.ts'
import { silentLogger } from '../log/logger.ts'
import { systemClock } from '../time/system-clock.ts'
import { openStore } from './index.ts'
import { pairs } from './testing/pairs.ts'

test('every acknowledged write is there after kill -9', async (t) => {
  const { child, file, until } = await aWriter(t)
  const lines = await until((line, count) => line.startsWith('ok') && count >= 500)
  child.kill('SIGKILL')
  await once(child, 'close')
  const written = new Set(await keysOf(file))
  const lost = acknowledged(lines).filter((key) => !written.has(key))
  assert.deepEqual(lost, [])
})

test('I/O errors are said, and the store heals when the disk does', { skip: needs('prlimit') }, async (t) => {
  const { child, file, until } = await aWriter(t)
  const limit = (size: string) => execFileSync('prlimit', [`--fsize=${size}:`, '--pid', String(child.pid)])
  await until((line) => line.startsWith('ok'))
  limit('50000')
  await until((line) => line === 'no PLATFORM_STORE_IO')
  limit('unlimited')
  let healthy = 0
  const lines = await until((line) => {
    healthy = line.startsWith('ok') ? healthy + 1 : 0
    return healthy === 300
  })
  child.kill('SIGKILL')
  await once(child, 'close')
  const written = new Set(await keysOf(file))
  assert.deepEqual(
    acknowledged(lines).filter((key) => !written.has(key)),
    [],
  )
})

async function aWriter(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'skerry-store-'))
  const file = join(folder, 'skerry.db')
  const script = fileURLToPath(new URL('./testing/writer-process.ts', import.meta.url))
  const child = spawn(process.execPath, [script, file], { stdio: ['ignore', 'pipe', 'pipe'] })
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
  })
  t.after(async () => {
    await end(child)
    await rm(folder, { recursive: true, force: true })
    assert.equal(stderr, '', 'not even a warning that SQLite is experimental')
  })
  const source = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const lines: string[] = []
  const until = async (isEnough: (line: string, count: number) => boolean) => {
    while (true) {
      const next = await source.next()
      assert.ok(!next.done, `the writer ended: ${stderr}`)
      lines.push(next.value)
      if (isEnough(next.value, lines.length)) return lines
    }
  }
  return { child, file, until }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'close')
}

function acknowledged(lines: readonly string[]): readonly string[] {
  return lines.filter((line) => line.startsWith('ok ')).map((line) => line.slice(3))
}

async function keysOf(file: string): Promise<readonly unknown[]> {
  await using store = await openStore(file, [pairs], { clock: systemClock, log: silentLogger })
  return (await store.read({ statement: 'pairs.all', parameters: [] })).map(({ key }) => key)
}
