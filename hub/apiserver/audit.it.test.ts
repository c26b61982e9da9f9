import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../tools/testing/temporary-folder.ts'
import { CLOUD_GROUP } from '../serving/access/authorization.ts'
import type { AuditOptions } from './audit/audit-log.ts'
import { at, configMap, MAPS } from './testing/objects.ts'
import { asPerson } from './testing/people.ts'
import { ask } from './testing/request.ts'
import { serveApi } from './testing/serve.ts'

async function setup(what: AuditOptions['what'] = 'writes') {
  const directory = temporaryFolder('skerry-audit-')
  const file = join(directory, 'audit', 'log')
  const api = await serveApi(directory, { audit: { file, what, mostBytes: 10_000_000, keep: 1 } })
  /** Stops the API, which writes what is not written yet. */
  const stopped = async () => {
    await api[Symbol.asyncDispose]()
    const text = await readFile(file, 'utf8')
    const events: readonly unknown[] = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    return { text, events }
  }
  return { api, stopped }
}

test('each write is a line that says who did what to which object, and nothing of what is in it', async () => {
  const { api, stopped } = await setup()
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { generateName: 'key-' },
    stringData: { a: 'hush-hush' },
  }
  const path = '/api/v1/namespaces/default/secrets'
  const made = await ask(api, { method: 'POST', path: `${path}?dryRun=`, body: secret })
  const name = String(at(made.json, 'metadata', 'name'))
  await ask(api, { path: `${path}/${name}` })
  await ask(api, { path: '/readyz', anonymous: true })
  const { text, events } = await stopped()
  assert.equal(events.length, 1)
  assert.ok(!text.includes('hush') && !text.includes(Buffer.from('hush-hush').toString('base64')))
  const [event] = events
  assert.deepEqual(at(event, 'objectRef'), { resource: 'secrets', namespace: 'default', name, apiVersion: 'v1' })
  assert.equal(made.headers['audit-id'], at(event, 'auditID'))
  const parts = ['kind', 'apiVersion', 'level', 'stage', 'verb', 'requestURI'].map((field) => at(event, field))
  assert.deepEqual(parts, [
    ...['Event', 'audit.k8s.io/v1', 'Metadata', 'ResponseComplete', 'create', `${path}?dryRun=`],
  ])
  assert.equal(at(event, 'user', 'username'), 'kubernetes-admin')
  assert.deepEqual(at(event, 'responseStatus'), { metadata: {}, code: 201 })
  assert.equal(at(event, 'annotations', 'authorization.k8s.io/decision'), 'allow')
  assert.match(String(at(event, 'requestReceivedTimestamp')), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
})

test('what is wrong in a Secret is not told with the Secret', async () => {
  const { api, stopped } = await setup()
  const path = '/api/v1/namespaces/default/secrets'
  const metadata = { name: 'key' }
  await ask(api, {
    method: 'POST',
    path,
    body: { apiVersion: 'v1', kind: 'Secret', metadata, stringData: { a: 'hush' } },
  })
  const headers = { 'content-type': 'application/merge-patch+json' }
  const wrong = await ask(api, { method: 'PATCH', path: `${path}/key`, headers, body: { data: { b: 1 } } })
  assert.equal(wrong.status, 422)
  assert.ok(wrong.text.includes(Buffer.from('hush').toString('base64')), 'who may change it may see it')
  await ask(api, { method: 'POST', path, body: '{"apiVersion":"v1","stringData":{"a":hush}}' })
  const { text, events } = await stopped()
  assert.deepEqual(at(events[1], 'responseStatus'), { metadata: {}, status: 'Failure', reason: 'Invalid', code: 422 })
  assert.equal(at(events[2], 'responseStatus', 'code'), 400)
  assert.ok(!text.includes('hush') && !text.includes(Buffer.from('hush').toString('base64')))
})

test('what was refused, or done in the name of another, is there too', async () => {
  const { api, stopped } = await setup()
  const eve = await asPerson(api, 'eve', [])
  await ask(eve, { method: 'POST', path: MAPS, body: configMap('a') })
  await ask(api, {
    method: 'DELETE',
    path: `${MAPS}/a`,
    anonymous: true,
    headers: { authorization: 'Bearer no.secret' },
  })
  await ask(api, { method: 'POST', path: MAPS, body: configMap('b'), headers: { 'impersonate-user': 'bob' } })
  const { text, events } = await stopped()
  assert.deepEqual(
    events.map((event) => [
      at(event, 'user', 'username'),
      at(event, 'impersonatedUser', 'username'),
      at(event, 'responseStatus', 'code'),
    ]),
    [
      ['eve', undefined, 403],
      [undefined, undefined, 401],
      ['kubernetes-admin', 'bob', 403],
    ],
  )
  assert.match(String(at(events[0], 'responseStatus', 'message')), /User "eve" cannot create resource/)
  assert.ok(!text.includes('no.secret'))
})

test('reports of the cloud half are left out, what else it does is not, and reads where they are asked for', async () => {
  const { api, stopped } = await setup()
  const cloud = await asPerson(api, 'skerry-cloud', [CLOUD_GROUP])
  const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'x' }, spec: {} }
  const leases = '/apis/coordination.k8s.io/v1/namespaces/kubeedge/leases'
  await ask(cloud, { method: 'POST', path: leases, body: lease })
  await ask(cloud, { method: 'DELETE', path: `${leases}/x` })
  const { events } = await stopped()
  assert.deepEqual(
    events.map((event) => at(event, 'verb')),
    ['delete'],
  )

  const all = await setup('all')
  await ask(all.api, { path: `${MAPS}?limit=1` })
  const command = '/api/v1/namespaces/default/pods/x/exec?command=echo&command=hush&stdin=true'
  await ask(all.api, { path: command })
  const { text, events: both } = await all.stopped()
  assert.deepEqual(
    both.map((event) => at(event, 'verb')),
    ['list', 'get'],
  )
  assert.match(String(at(both[1], 'requestURI')), /exec\?command=\*\*\*&command=\*\*\*&stdin=true$/)
  assert.ok(!text.includes('hush'))
})
