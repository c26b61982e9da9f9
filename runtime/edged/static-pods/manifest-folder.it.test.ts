import assert from 'node:assert/strict'
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { memoryLogger } from '../../../platform/log/testing/index.ts'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import { runProgram } from '../testing/run-program.ts'
import { LARGEST, MOST_FILES } from './manifest-files.ts'
import { ManifestFolder } from './manifest-folder.ts'

const manifest = (name: string, image = 'web:1') =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}}\nspec: {containers: [{name: web, image: '${image}'}]}\n`

function setup(folder = temporaryFolder()) {
  const log = memoryLogger()
  let count = 0
  const refusals = { add: () => void count++ }
  const pods = new ManifestFolder({ folder, nodeName: 'edge-1', log, refusals })
  return {
    ...{ folder, pods, log },
    names: () => [...pods.pods.keys()],
    refused: () => log.lines.filter(({ level }) => level === 'warn').map(({ fields }) => fields['reason']),
    count: () => count,
    write: (name: string, text: string) => writeFile(join(folder, name), text),
  }
}

test('each file is a pod, in the order of their names; hidden ones are nothing', async () => {
  const { pods, names, write, refused } = setup()
  await write('b.yaml', manifest('two'))
  await write(
    'a.json',
    JSON.stringify({
      ...JSON.parse('{"apiVersion":"v1","kind":"Pod"}'),
      metadata: { name: 'one' },
      spec: { containers: [{ name: 'a', image: 'a' }] },
    }),
  )
  await write('.c.yaml.swp', 'half of a pod')
  assert.equal(pods.isRead, false)
  assert.equal(await pods.scan(), true)
  assert.deepEqual(names(), ['default/one-edge-1', 'default/two-edge-1'])
  assert.equal(await pods.scan(), false, 'nothing changed')
  assert.deepEqual([refused(), pods.isRead], [[], true])
})

test('a file that changes is another pod, and one that goes takes its pod along', async () => {
  const { folder, pods, names, write } = setup()
  await write('a.yaml', manifest('one'))
  await pods.scan()
  const [before] = pods.pods.values()
  await write('a.yaml', manifest('one', 'web:2'))
  assert.equal(await pods.scan(), true)
  const [after] = pods.pods.values()
  assert.notEqual(after?.uid, before?.uid)
  await write('a.yaml', `# a remark\n${manifest('one', 'web:2')}`)
  assert.equal(await pods.scan(), false, 'it says the same')
  await rm(join(folder, 'a.yaml'))
  assert.equal(await pods.scan(), true)
  assert.deepEqual(names(), [])
})

test('a file that is half written ends nothing, is told once, and counts when it is whole', async () => {
  const { pods, names, write, refused, count } = setup()
  await write('a.yaml', manifest('one'))
  await pods.scan()
  const [before] = pods.pods.values()
  await write('a.yaml', 'apiVersion: v1\nkind: Po')
  await write('b.yaml', '')
  assert.equal(await pods.scan(), false)
  await pods.scan()
  assert.deepEqual([...pods.pods.values()], [before])
  assert.deepEqual(refused(), ['it is not a Pod of apiVersion v1', 'there is nothing in it'])
  assert.equal(count(), 2)
  await write('a.yaml', manifest('one', 'web:2'))
  await write('b.yaml', manifest('two'))
  assert.equal(await pods.scan(), true)
  assert.deepEqual(names(), ['default/one-edge-1', 'default/two-edge-1'])
  assert.notEqual(pods.pods.get('default/one-edge-1')?.uid, before?.uid)
})

test('of two files for one pod the first one counts, and the second when the first is gone', async () => {
  const { folder, pods, names, write, refused } = setup()
  await write('a.yaml', manifest('one'))
  await write('a.yaml~', manifest('one', 'web:0'))
  await pods.scan()
  await pods.scan()
  assert.equal(pods.pods.get('default/one-edge-1')?.spec.containers[0]?.image, 'web:1')
  assert.deepEqual(refused(), ['another file makes pod default/one-edge-1'])
  await rm(join(folder, 'a.yaml'))
  assert.equal(await pods.scan(), true)
  assert.deepEqual([names().length, pods.pods.get('default/one-edge-1')?.spec.containers[0]?.image], [1, 'web:0'])
})

test('links are followed, and what is no file, too large or one too many is told', { timeout: 60_000 }, async () => {
  const { folder, pods, names, write, refused } = setup()
  const elsewhere = join(temporaryFolder(), 'target.yaml')
  await writeFile(elsewhere, manifest('linked'))
  await symlink(elsewhere, join(folder, 'a.yaml'))
  await symlink(join(folder, 'none'), join(folder, 'dangling.yaml'))
  await mkdir(join(folder, 'folder'))
  await runProgram('mkfifo', [join(folder, 'pipe')])
  await write('large.yaml', `#${'x'.repeat(LARGEST)}`)
  await pods.scan()
  assert.deepEqual(names(), ['default/linked-edge-1'])
  assert.deepEqual(refused(), ['it is not a file', `it is larger than ${LARGEST} bytes`, 'it is not a file'])
  await writeFile(elsewhere, manifest('linked', 'web:2'))
  assert.equal(await pods.scan(), true)
  for (let at = 0; at < MOST_FILES; at++) await write(`b${String(at).padStart(3, '0')}.yaml`, '')
  await pods.scan()
  assert.equal(refused().filter((reason) => /more than 500 files/.test(String(reason))).length, 5)
})

test('a folder that is not there has no pods; one that cannot be read leaves them as they are', async () => {
  const folder = join(temporaryFolder(), 'manifests')
  const { pods, names, write, log } = setup(folder)
  assert.equal(await pods.scan(), true)
  assert.deepEqual([names(), pods.isRead], [[], true])
  await mkdir(folder)
  await write('a.yaml', manifest('one'))
  await pods.scan()
  await rename(folder, `${folder}.away`)
  await writeFile(folder, 'not a folder')
  assert.equal(await pods.scan(), false)
  await pods.scan()
  assert.deepEqual(names(), ['default/one-edge-1'])
  assert.deepEqual(log.messages('error'), ['The folder of static pods cannot be read'])
  await rm(folder)
  assert.equal(await pods.scan(), true)
  assert.deepEqual(names(), [])
})
