import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sharedLookup } from './shared-lookup.ts'

function start() {
  const looks: { readonly key: string; readonly asked: PromiseWithResolvers<string> }[] = []
  const lookup = sharedLookup((key: string) => {
    const asked = Promise.withResolvers<string>()
    looks.push({ key, asked })
    return asked.promise
  })
  return { looks, lookup }
}
const turn = () => new Promise((resolve) => setImmediate(resolve))

test('who asks while a look is under way shares the next one, and never gets what was found before', async () => {
  const { looks, lookup } = start()
  const first = lookup('a')
  const [second, third] = [lookup('a'), lookup('a')]
  const other = lookup('b')
  assert.deepEqual(
    looks.map(({ key }) => key),
    ['a', 'b'],
  )
  looks[0]?.asked.resolve('old')
  assert.equal(await first, 'old')
  await turn()
  const fourth = lookup('a')
  looks[2]?.asked.resolve('new')
  assert.deepEqual(await Promise.all([second, third]), ['new', 'new'])
  await turn()
  looks[3]?.asked.resolve('newer')
  assert.equal(await fourth, 'newer')
  looks[1]?.asked.resolve('b')
  assert.equal(await other, 'b')
  assert.equal(looks.length, 4)
  await turn()
  void lookup('a')
  assert.equal(looks.length, 5, 'where nothing is under way, one looks at once')
})

test('a look that fails does so for those who share it, and the next is made all the same', async () => {
  const { looks, lookup } = start()
  const first = lookup('a')
  const [second, third] = [lookup('a'), lookup('a')]
  looks[0]?.asked.reject(new Error('away'))
  await assert.rejects(first, /away/)
  await turn()
  looks[1]?.asked.reject(new Error('still away'))
  await assert.rejects(second, /still away/)
  await assert.rejects(third, /still away/)
  await turn()
  const fourth = lookup('a')
  looks[2]?.asked.resolve('back')
  assert.equal(await fourth, 'back')
})
