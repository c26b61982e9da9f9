import assert from 'node:assert/strict'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { JsonObject } from '../../../schemas/index.ts'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import { Places } from '../places.ts'
import { aContainer, aPod, aView } from '../testing/a-pod.ts'
import { LastWords } from './last-words.ts'

const FALLBACK = {
  containers: [{ name: 'app', image: 'a', terminationMessagePolicy: 'FallbackToLogsOnError' }],
}
const line = (text: string) => `2026-01-31T12:00:00.000000001Z stdout F ${text}\n`

/** The last words of `shop/till`: what its termination log says, and a folder for what it wrote. */
async function stage(spec: JsonObject = FALLBACK, said = '') {
  const root = temporaryFolder('skerry-words-')
  const places = new Places(join(root, 'edged'), join(root, 'logs'))
  const pod = aPod(spec)
  const logs = join(places.podLogs(pod), 'app')
  await mkdir(logs, { recursive: true })
  const state = { said, reads: 0 }
  const words = new LastWords({
    places,
    containerFiles: {
      lastWords: async () => {
        state.reads++
        return state.said
      },
    },
  })
  const of = async (exitCode: number, before?: JsonObject) =>
    (await words.of(pod, aView([], [aContainer('app', { state: 'exited', exitCode })]), before)).get('app-0')
  return { root, logs, log: join(logs, '0.log'), pod, state, words, of }
}

test('what a container wrote into its termination log counts before its log, and is read once', async () => {
  const { log, of, state } = await stage(FALLBACK, 'out of paper')
  await writeFile(log, line('in the log'))
  assert.equal(await of(1), 'out of paper')
  state.said = 'something else'
  assert.deepEqual([await of(1), state.reads], ['out of paper', 1])
})

test('the end of the log is taken where the container failed and asks for that, and only then', async () => {
  const { log, of } = await stage()
  await writeFile(log, line('one') + line('two'))
  assert.equal(await of(3), 'one\ntwo')
  const well = await stage()
  await writeFile(well.log, line('all is well'))
  assert.equal(await well.of(0), '')
  const silent = await stage({})
  await writeFile(silent.log, line('asked for nothing'))
  assert.equal(await silent.of(1), '')
  assert.equal(await (await stage()).of(1), '', 'there is no log')
})

test('of a long log the last 80 lines, and of those the last 2048 bytes are taken', async () => {
  const many = await stage()
  await writeFile(many.log, Array.from({ length: 200 }, (_, at) => line(`l${at}`)).join(''))
  const lines = String(await many.of(1))
    .trim()
    .split('\n')
  assert.deepEqual([lines[0], lines.at(-1)], ['l120', 'l199'])
  const long = await stage()
  await writeFile(long.log, line('x'.repeat(50_000)) + line(`${'y'.repeat(3000)}!`))
  const words = String(await long.of(1))
  assert.deepEqual([words.length, words.endsWith('y!')], [2048, true])
})

test('the log of Docker is read as its file says, and no other link is followed', async () => {
  const docker = await stage()
  await writeFile(docker.log, `{"log":"no paper\\n","stream":"stderr","time":"2026-01-31T12:00:00.5Z"}\n{"log":"cut`)
  assert.equal(await docker.of(1), 'no paper')
  const linked = await stage()
  await writeFile(join(linked.root, 'secret'), line('secret'))
  await symlink(join(linked.root, 'secret'), linked.log)
  assert.equal(await linked.of(1), '')
})

test('what was said of its end before is not read again, as its files may be gone', async () => {
  const { of, state, words, pod } = await stage(FALLBACK, 'read')
  const terminated = { containerID: 'containerd://app-0', message: 'said before' }
  assert.equal(await of(1, { containerStatuses: [{ name: 'app', lastState: { terminated } }] }), 'said before')
  assert.equal(state.reads, 0)
  await words.of(pod, aView([], [aContainer('app', { state: 'running' })]), undefined)
  assert.deepEqual([await of(1), state.reads], ['read', 1], 'what is gone is forgotten')
})
