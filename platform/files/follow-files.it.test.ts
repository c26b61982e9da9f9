import assert from 'node:assert/strict'
import { rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../tools/testing/temporary-folder.ts'
import { seconds } from '../time/index.ts'
import { FakeClock } from '../time/testing/index.ts'
import { followFiles } from './follow-files.ts'

test('files are given at first and when one was replaced; what cannot be read or taken is tried again', async () => {
  const folder = temporaryFolder('follow-')
  const paths = ['a', 'b'].map((name) => join(folder, name))
  const [first = '', second = ''] = paths
  const given: string[] = []
  let troubles = 0
  const followed = followFiles({
    paths,
    clock: new FakeClock(),
    take(texts) {
      if (texts.includes('bad')) throw new Error('not this')
      given.push(texts.join('|'))
    },
    onTrouble: () => troubles++,
  })
  await followed.look()
  assert.deepEqual([given, troubles], [[], 1])
  await writeFile(first, '1')
  await writeFile(second, '2')
  await followed.look()
  await followed.look()
  assert.deepEqual([given, troubles], [['1|2'], 1])
  await writeFile(`${second}.new`, 'bad')
  await rename(`${second}.new`, second)
  await followed.look()
  await followed.look()
  assert.deepEqual([given, troubles], [['1|2'], 3])
  await rm(second)
  await writeFile(second, 'three')
  await followed.look()
  assert.deepEqual(given, ['1|2', '1|three'])
})

test('they are looked at until the signal aborts', async () => {
  const folder = temporaryFolder('follow-')
  const path = join(folder, 'a')
  await writeFile(path, '1')
  const clock = new FakeClock()
  const taken = Promise.withResolvers<void>()
  const followed = followFiles({
    paths: [path],
    clock,
    take: () => taken.resolve(),
    onTrouble: (error) => assert.fail(String(error)),
  })
  const stopping = new AbortController()
  const ended = assert.rejects(followed.run(stopping.signal), /enough/)
  await clock.advance(seconds(30))
  await taken.promise
  stopping.abort(new Error('enough'))
  await clock.advance(seconds(30))
  await ended
})
