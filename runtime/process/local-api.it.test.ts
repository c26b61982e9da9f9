import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createLocalBus } from '../../platform/bus/index.ts'
import { hashPassword, passwordLine } from '../../platform/bus/mqtt/access/index.ts'
import { loadConfig } from '../../platform/config/index.ts'
import { createMetrics } from '../../platform/health/index.ts'
import { createScope } from '../../platform/lifecycle/index.ts'
import { memoryLogger } from '../../platform/log/testing/index.ts'
import { systemClock as clock, seconds } from '../../platform/time/index.ts'
import { EdgeConfig } from '../../schemas/config/index.ts'
import { type DesiredAnswer, setDesired, type Twin, twins } from '../../schemas/index.ts'
import { temporaryFolder } from '../../tools/testing/temporary-folder.ts'
import { composeLocalApi } from './local-api.ts'

const twin = (id: string): Twin => ({
  ...{ id, uid: `uid of ${id}`, generation: 1, revision: 1, description: '', state: 'online' },
  properties: { speed: { type: 'int', modelType: 'INT', optional: false, declared: true, writable: true } },
})

/** The API with the users of a password file, whose rights the configuration of the broker names. */
async function start(t: TestContext, mqtt: object) {
  const directory = temporaryFolder('skerry-http-')
  mkdirSync(join(directory, 'mqtt'), { mode: 0o700 })
  const lines = ['reader', 'app', 'nobody'].map(async (name) =>
    passwordLine(name, await hashPassword(Buffer.from(`of ${name}`), 1000)),
  )
  writeFileSync(join(directory, 'mqtt', 'passwords'), `${(await Promise.all(lines)).join('\n')}\n`, { mode: 0o600 })
  const text = JSON.stringify({ node: { name: 'edge-1' }, http: { port: 0 }, mqtt })
  const config = await loadConfig({ schema: EdgeConfig, text })
  const log = memoryLogger()
  const bus = createLocalBus(clock, log)
  for (const id of ['shop/till', 'shop/door']) bus.set(twins, id, twin(id))
  bus.serve(setDesired, async ({ author }): Promise<DesiredAnswer> => ({ ok: true, values: { author } }))
  const scope = createScope('LocalApi', { clock, log, deadline: seconds(5), onCrash: assert.ifError })
  t.after(() => scope[Symbol.asyncDispose]())
  const api = composeLocalApi(config, bus, { directory, log, metrics: createMetrics() }, undefined)
  for (const module of api.modules) await module.start(scope)
  return async (method: string, path: string, user?: string, password = `of ${user}`) => {
    const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
    const response = await fetch(`${api.endpoints().http}${path}`, {
      method,
      headers: { 'content-type': 'text/plain', ...(user === undefined ? {} : { authorization }) },
      ...(method === 'GET' ? {} : { body: '5' }),
    })
    return { status: response.status, text: await response.text() }
  }
}

const TILL = '/v1/devices/shop/till'
const SET = `${TILL}/properties/speed/desired`

test('users of the broker may over HTTP what they may on MQTT, and others nothing', async (t) => {
  const ask = await start(t, {
    anonymous: 'none',
    clients: [
      { name: 'reader', twins: ['shop/*'], access: 'read' },
      { name: 'app', twins: ['shop/till'], access: 'app' },
    ],
  })
  const statuses = async (...who: [string?, string?]) => [
    (await ask('GET', TILL, ...who)).status,
    (await ask('GET', '/v1/devices/shop/door', ...who)).status,
    (await ask('PUT', SET, ...who)).status,
  ]
  assert.deepEqual(await statuses(), [401, 401, 401])
  assert.deepEqual(await statuses('reader'), [200, 200, 403])
  assert.deepEqual(await statuses('app'), [200, 404, 200])
  assert.deepEqual(await statuses('nobody'), [404, 404, 403])
  assert.equal((await ask('GET', TILL, 'app', 'of another')).status, 401)
  assert.match((await ask('PUT', SET, 'app')).text, /"author":"user:app"/)
  const lists = await Promise.all(['reader', 'app', 'nobody'].map((user) => ask('GET', '/v1/devices', user)))
  assert.deepEqual(
    lists.map(({ text }) => JSON.parse(text).items.length),
    [2, 1, 0],
  )
})

test('without credentials the level of the broker holds', async (t) => {
  const readOnly = await start(t, {})
  assert.deepEqual([(await readOnly('GET', TILL)).status, (await readOnly('PUT', SET)).status], [200, 401])
  const full = await start(t, { anonymous: 'full' })
  assert.deepEqual([(await full('GET', TILL)).status, (await full('PUT', SET)).status], [200, 200])
})
