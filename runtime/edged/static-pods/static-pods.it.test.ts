import assert from 'node:assert/strict'
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createLocalBus } from '../../../platform/bus/index.ts'
import { createScope } from '../../../platform/lifecycle/index.ts'
import { silentLogger } from '../../../platform/log/index.ts'
import { type Clock, seconds, systemClock, systemRandom } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import { createStaticPods } from './static-pods.ts'

const manifest = (name: string) =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}}\nspec: {containers: [{name: web, image: 'web:1'}]}\n`

async function setup(t: TestContext, folder: string | undefined, clock: Clock) {
  const log = silentLogger
  const onCrash = (error: unknown): never => {
    throw error
  }
  const scope = createScope('static-pods', { clock: systemClock, log, deadline: seconds(5), onCrash })
  t.after(() => scope[Symbol.asyncDispose]())
  const bus = createLocalBus(clock, log)
  const pods = createStaticPods({ bus, folder, nodeName: 'edge-1', clock, random: systemRandom, log })
  await pods.start(scope)
  const names = () => pods.list().map(({ name }) => name)
  /** Settles when other pods were told; with the names of then. */
  const changed = () =>
    new Promise<readonly string[]>((resolve) => {
      const following = pods.onChange(() => {
        following[Symbol.dispose]()
        resolve(names())
      })
    })
  return { pods, names, changed, scope }
}

test('what is there at the start is known when it is started', async (t) => {
  const folder = temporaryFolder()
  await writeFile(join(folder, 'a.yaml'), manifest('one'))
  const { pods, names } = await setup(t, folder, systemClock)
  assert.deepEqual([names(), pods.isComplete], [['one-edge-1'], true])
})

test('a file is noticed soon after it came, changed or went', { timeout: 60_000 }, async (t) => {
  const folder = temporaryFolder()
  const { changed } = await setup(t, folder, systemClock)
  const came = changed()
  await writeFile(join(folder, 'a.yaml'), manifest('one'))
  assert.deepEqual(await came, ['one-edge-1'])
  const renamed = changed()
  await writeFile(join(folder, 'a.yaml'), manifest('two'))
  assert.deepEqual(await renamed, ['two-edge-1'])
  const went = changed()
  await rm(join(folder, 'a.yaml'))
  assert.deepEqual(await went, [])
})

test('what the machine does not tell is seen within 20 s', { timeout: 60_000 }, async (t) => {
  const [folder, elsewhere] = [join(temporaryFolder(), 'manifests'), join(temporaryFolder(), 'one.yaml')]
  const clock = new FakeClock()
  const { changed, names } = await setup(t, folder, clock)
  assert.deepEqual(names(), [])
  await mkdir(folder)
  await writeFile(elsewhere, manifest('one'))
  await symlink(elsewhere, join(folder, 'a.yaml'))
  const came = changed()
  await clock.advance(seconds(20))
  assert.deepEqual(await came, ['one-edge-1'])
  const renamed = changed()
  await writeFile(elsewhere, manifest('two'))
  await clock.advance(seconds(20))
  assert.deepEqual(await renamed, ['two-edge-1'])
})

test('a node without such a folder has no static pods, and knows it', async (t) => {
  const { pods, names } = await setup(t, undefined, systemClock)
  assert.deepEqual([names(), pods.isComplete], [[], true])
})

test('a folder that cannot be read at the start says nothing about pods', async (t) => {
  const folder = join(temporaryFolder(), 'file')
  await writeFile(folder, '')
  const { pods, names } = await setup(t, folder, systemClock)
  assert.deepEqual([names(), pods.isComplete], [[], false])
})
