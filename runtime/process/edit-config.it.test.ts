import assert from 'node:assert/strict'
import { appendFile, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { it } from 'node:test'
import { parse } from 'yaml'
import { temporaryFolder } from '../../tools/testing/temporary-folder.ts'
import { editConfig } from './edit-config.ts'

it('makes a configuration that people can go on writing, and keeps what they wrote', async () => {
  const folder = temporaryFolder('skerry-config-')
  const file = join(folder, 'config.yaml')
  await editConfig(file, { node: { name: 'gw-1' }, cloud: { server: 'a:1' } })
  assert.equal((await stat(file)).mode & 0o777, 0o600)
  await appendFile(file, '# of ours\nmqtt:\n  port: 1884\n')
  await editConfig(file, { cloud: { server: 'b:2' } })
  const text = await readFile(file, 'utf8')
  assert.match(text, /# of ours/)
  assert.deepEqual(parse(text), { node: { name: 'gw-1' }, cloud: { server: 'b:2' }, mqtt: { port: 1884 } })

  await writeFile(file, '{}\n')
  await editConfig(file, { node: { name: 'gw-2' } })
  await appendFile(file, 'mqtt: {port: 1884}\n')
  assert.deepEqual(parse(await readFile(file, 'utf8')), { node: { name: 'gw-2' }, mqtt: { port: 1884 } })
})

it('names a file that is not YAML and leaves it alone', async () => {
  const folder = temporaryFolder('skerry-config-')
  const file = join(folder, 'config.yaml')
  await writeFile(file, '{"broken: ][')
  await assert.rejects(editConfig(file, { node: { name: 'gw-1' } }), (error: Error) => {
    assert.ok(error.message.startsWith(`${file} is not YAML: correct it (`), error.message)
    return true
  })
  assert.equal(await readFile(file, 'utf8'), '{"broken: ][')
})
