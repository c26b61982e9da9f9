import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../tools/testing/temporary-folder.ts'
import { LineFile, type LineFileOptions } from './line-file.ts'

function setup(over: Partial<LineFileOptions> = {}) {
  const folder = temporaryFolder('skerry-lines-')
  const path = join(folder, 'deep', 'lines.log')
  const dropped: number[] = []
  const file = new LineFile({
    ...{ path, mostBytes: 100, keep: 2, mostWaiting: 10_000 },
    onDropped: (lines) => void dropped.push(lines),
    ...over,
  })
  const read = async () => (await readFile(path, 'utf8')).split('\n').filter((line) => line !== '')
  return { folder, path, file, dropped, read }
}

test('lines come to disk in order, for the owner alone, and a stop writes what waits', async () => {
  const { path, file, read } = setup({ mostBytes: 1_000_000 })
  const lines = Array.from({ length: 500 }, (_, number) => `line ${number}`)
  for (const line of lines) file.add(line)
  await file[Symbol.asyncDispose]()
  assert.deepEqual(await read(), lines)
  assert.equal((await stat(path)).mode & 0o777, 0o600)
})

test('a file is continued after a restart, put aside when it is large, and the oldest goes', async () => {
  const { folder, path, file, read } = setup()
  file.add('first'.padEnd(60, '.'))
  await file[Symbol.asyncDispose]()
  const again = new LineFile({ path, mostBytes: 100, keep: 2, mostWaiting: 10_000, onDropped: () => assert.fail() })
  for (let number = 0; number < 8; number++) {
    again.add(`${number}`.padEnd(60, '.'))
    await again.flush()
  }
  await again[Symbol.asyncDispose]()
  assert.deepEqual((await readdir(join(folder, 'deep'))).sort(), ['lines.log', 'lines.log.1', 'lines.log.2'])
  assert.deepEqual(
    (await read()).map((line) => line[0]),
    ['7'],
  )
  assert.deepEqual((await readFile(`${path}.1`, 'utf8')).match(/^\d/gm), ['5', '6'])
  assert.deepEqual((await readFile(`${path}.2`, 'utf8')).match(/^\d/gm), ['3', '4'])
})

test('what is too much to wait is dropped and counted, and what comes later is written', async () => {
  const { file, dropped, read } = setup({ mostWaiting: 30, mostBytes: 1_000_000 })
  for (let number = 0; number < 5; number++) file.add(`line ${number} .`)
  assert.deepEqual(dropped, [1, 1])
  await file.flush()
  file.add('after')
  await file[Symbol.asyncDispose]()
  assert.deepEqual(await read(), ['line 0 .', 'line 1 .', 'line 2 .', 'after'].slice(0, 3).concat('after'))
})

test('a disk that takes nothing costs lines, and no more than those', async () => {
  const { path, file, dropped, read } = setup()
  await mkdir(path, { recursive: true })
  file.add('lost')
  file.add('lost too')
  await file.flush()
  assert.deepEqual(dropped, [2])
  await rm(path, { recursive: true })
  file.add('kept')
  await file[Symbol.asyncDispose]()
  assert.deepEqual(await read(), ['kept'])
})
