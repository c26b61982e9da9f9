import assert from 'node:assert/strict'
import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../tools/testing/temporary-folder.ts'
import { RefusedError } from '../lifecycle/errors.ts'
import { KeptPort } from './kept-port.ts'

const taken = (port: number) => new RefusedError('taken', { code: 'PLATFORM_PORT_TAKEN', fields: { port } })

test('the port of before goes first, then the one that is wanted, then any', async () => {
  const file = join(temporaryFolder('skerry-port-'), 'http', 'pod-port')
  const port = new KeptPort(file)
  const tried: number[] = []
  const opening =
    (...free: readonly number[]) =>
    async (wanted: number) => {
      tried.push(wanted)
      if (wanted !== 0 && !free.includes(wanted)) throw taken(wanted)
      return { port: wanted === 0 ? 4000 : wanted }
    }
  await port.open(1000, opening(1000))
  await port.open(1000, opening())
  await port.open(1000, opening(4000))
  assert.deepEqual(tried, [1000, 1000, 0, 4000])
  assert.equal(await new KeptPort(file).read(), 4000)
  assert.equal((await stat(file)).mode & 0o777, 0o600)
})

test('what is no port of before counts as none, and another trouble is not one of ports', async () => {
  const file = join(temporaryFolder('skerry-port-'), 'pod-port')
  for (const text of ['', 'x', '-1', '70000', '1.5']) {
    await writeFile(file, text)
    assert.equal(await new KeptPort(file).read(), 0, text)
  }
  const failing = () => Promise.reject(new Error('no such address'))
  await assert.rejects(new KeptPort(file).open(1, failing), /no such address/)
})
