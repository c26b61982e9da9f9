import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { EdgeConfig, UpConfig } from '../../schemas/config/index.ts'
import { temporaryFolder } from '../../tools/testing/temporary-folder.ts'
import { ConfigError } from '../lifecycle/errors.ts'
import { loadConfig } from './index.ts'

test('nothing given is all defaults', async () => {
  const config = await loadConfig({ schema: UpConfig })
  assert.equal(config.ports.mqtt, 1883)
  assert.equal(config.log.level, 'info')
})

test('reads a file, fills the defaults and lets flags win', async () => {
  const dir = temporaryFolder('skerry-config-')
  const file = join(dir, 'edge.yaml')
  await writeFile(file, 'node: { name: a }\nmqtt:\n  port: 2000\n')
  const overrides = { node: { name: 'b' }, mqtt: { host: undefined }, metrics: { port: 0 } }
  const config = await loadConfig({ schema: EdgeConfig, file, overrides })
  assert.deepEqual(
    [config.node.name, config.mqtt.port, config.mqtt.host, config.metrics.port],
    ['b', 2000, '127.0.0.1', 0],
  )
})

const wrong: readonly (readonly [name: string, text: string, message: string])[] = [
  ['a wrong type', 'node: {name: a}\nmqtt:\n\n  port: abc\n', 'configuration:4: mqtt.port must be integer (got "abc")'],
  [
    'a value out of range',
    'node: {name: a}\nmqtt: {port: 70000}',
    'configuration:2: mqtt.port must be <= 65535 (got 70000)',
  ],
  [
    'a choice',
    'node: {name: a}\nlog: {level: loud}',
    'configuration:2: log.level must be one of debug, info, warn, error (got "loud")',
  ],
  [
    'a mistyped key',
    'node: {name: a}\nmqtt:\n  prot: 1',
    'configuration:3: mqtt.prot is not a known key; did you mean port?',
  ],
  ['a mistyped section', 'nod: {name: a}', 'configuration:1: nod is not a known key; did you mean node?'],
  ['a missing key', 'node: {}', 'configuration:1: node.name is missing'],
  ['a missing section', '', 'configuration: node is missing'],
  ['a key given twice', 'node: {name: a}\nnode: {name: b}', 'configuration:2: Map keys must be unique'],
  [
    'a setting of a list that may be a text or a section',
    'node: {name: a}\nmappers:\n  use: [{mapper: m, isolation: thread}]',
    'configuration:3: mappers.use.0.isolation must be one of worker, process, none (got "thread")',
  ],
  [
    'a mistyped key in such a section',
    'node: {name: a}\nmappers:\n  use: [{maper: m}]',
    'configuration:3: mappers.use.0.maper is not a known key; did you mean mapper?',
  ],
  ['a list', '- a', 'configuration:1: must be a mapping of keys to values'],
]
for (const [name, text, message] of wrong) {
  test(`names key and line of ${name}`, async () => {
    await assert.rejects(loadConfig({ schema: EdgeConfig, text }), (error) => {
      assert.ok(error instanceof ConfigError)
      assert.equal(error.message, message)
      return true
    })
  })
}

test('an unknown key that is like none lists what is known', async () => {
  const text = 'node: {name: a}\nmappers: {zzz: 1}'
  await assert.rejects(
    loadConfig({ schema: EdgeConfig, text }),
    /mappers\.zzz is not a known key; known here: isolation, heapMegabytes, use/,
  )
})

test('a file that is not there is named', async () => {
  await assert.rejects(loadConfig({ schema: UpConfig, file: '/nowhere/up.yaml' }), {
    code: 'PLATFORM_CONFIG_UNREADABLE',
    message: 'The configuration file /nowhere/up.yaml does not exist',
  })
})
