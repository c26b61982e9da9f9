import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseCertificate } from '../../platform/certificates/index.ts'
import { silentLogger } from '../../platform/log/index.ts'
import { systemClock } from '../../platform/time/index.ts'
import { temporaryFolder } from '../../tools/testing/temporary-folder.ts'
import { openApiPki } from './index.ts'
import { anApiProcess } from './testing/forked-api.ts'
import { at, configMap, done, MAPS, WIDGET_CRD, WIDGETS, watch, widget } from './testing/objects.ts'
import { ask } from './testing/request.ts'
import { serveApi } from './testing/serve.ts'

const ENOUGH = 300
const AT_ONCE = 16

test('kill -9 loses nothing that was answered, and no resourceVersion comes twice', async (t) => {
  const directory = temporaryFolder('skerry-api-')
  const { child, api } = await anApiProcess(t, directory)
  const answered = new Map<string, number>()
  const removed = new Set<string>()
  let writing = true
  const writer = async (number: number) => {
    for (let count = 0; writing; count++) {
      const name = `m-${number}-${count}`
      const made = await ask(api, { method: 'POST', path: MAPS, body: configMap(name) })
      if (made.status !== 201) return
      answered.set(name, Number(at(made.json, 'metadata', 'resourceVersion')))
      if (answered.size >= ENOUGH) child.kill('SIGKILL')
      if (count % 3 !== 0) continue
      const gone = await ask(api, { method: 'DELETE', path: `${MAPS}/${name}` })
      if (gone.status === 200) removed.add(name)
    }
  }
  // Each writer ends when its connection does.
  await Promise.allSettled(Array.from({ length: AT_ONCE }, (_, number) => writer(number)))
  writing = false
  if (child.signalCode === null) await once(child, 'exit')
  assert.ok(answered.size >= ENOUGH && removed.size > 0)

  await using again = await serveApi(directory)
  const list = await done(again, { path: MAPS })
  const items = at(list, 'items')
  assert.ok(Array.isArray(items))
  const present = new Map(items.map((item) => [String(at(item, 'metadata', 'name')), item]))
  for (const [name, version] of answered) {
    if (removed.has(name)) assert.ok(!present.has(name), `${name} came back`)
    // A deletion that was not answered may have happened.
    else if (Number(name.split('-')[2]) % 3 !== 0) {
      assert.equal(Number(at(present.get(name), 'metadata', 'resourceVersion')), version, `${name} is lost`)
    }
  }
  const next = await done(again, { method: 'POST', path: MAPS, body: configMap('next') })
  assert.ok(Number(at(next, 'metadata', 'resourceVersion')) > Math.max(...answered.values()))
})

test('a restart keeps custom objects and what people changed of their definition', async () => {
  const directory = temporaryFolder('skerry-api-')
  {
    await using api = await serveApi(directory, { crds: [WIDGET_CRD] })
    await done(api, { method: 'POST', path: WIDGETS, body: widget('kept') })
    const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.acme.io'
    const headers = { 'content-type': 'application/merge-patch+json' }
    await done(api, { method: 'PATCH', path, body: { metadata: { labels: { mine: 'yes' } } }, headers })
    // A user's own kind, which nobody installs at the next start.
    const other = structuredClone(WIDGET_CRD)
    const spec = { ...Object(at(other, 'spec')), group: 'user.io' }
    const crd = { ...other, metadata: { name: 'widgets.user.io' }, spec }
    await done(api, { method: 'POST', path: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', body: crd })
  }
  await using api = await serveApi(directory, { crds: [WIDGET_CRD] })
  assert.equal(at(await done(api, { path: `${WIDGETS}/kept` }), 'spec', 'color'), 'red')
  const crds = await done(api, { path: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions' })
  assert.deepEqual(
    [at(crds, 'items', 0, 'metadata', 'labels', 'mine'), at(crds, 'items', 0, 'metadata', 'generation')],
    ['yes', 1],
  )
  await done(api, { path: '/apis/user.io/v1/widgets' })
})

test('a watcher that saw everything goes on over a restart, one that did not is told to list', async () => {
  const directory = temporaryFolder('skerry-api-')
  let version = 0
  {
    await using api = await serveApi(directory)
    await done(api, { method: 'POST', path: MAPS, body: configMap('a') })
    version = Number(at(await done(api, { path: MAPS }), 'metadata', 'resourceVersion'))
  }
  await using api = await serveApi(directory)
  using current = await watch(api, `${MAPS}?watch=1&resourceVersion=${version}`)
  await done(api, { method: 'POST', path: MAPS, body: configMap('b') })
  assert.deepEqual(await current.take(1), ['ADDED b'])
  using late = await watch(api, `${MAPS}?watch=1&resourceVersion=${version - 1}`)
  assert.equal(at((await late.next()).object, 'code'), 410)
})

test('certificates stay as long as they fit, and are private', async () => {
  const directory = temporaryFolder('skerry-api-')
  const open = (names: readonly string[]) => openApiPki(directory, { names, clock: systemClock, log: silentLogger })
  const first = await open([])
  assert.deepEqual(await open([]), first)
  const named = await open(['api.acme.io', '192.0.2.7'])
  assert.deepEqual([named.ca, named.admin], [first.ca, first.admin])
  const serving = parseCertificate(named.serving.certificate)
  assert.ok(serving.dnsNames.includes('api.acme.io') && serving.ipAddresses.includes('192.0.2.7'))
  assert.deepEqual(parseCertificate(named.admin.certificate).subject.organizations, ['system:masters'])
  const folder = join(directory, 'pki', 'kubernetes')
  assert.equal((await stat(join(folder, 'ca.key'))).mode & 0o777, 0o600)
  // A start that was cut off between the key and its certificate.
  await writeFile(join(folder, 'admin.key'), await readFile(join(folder, 'server.key')))
  assert.notDeepEqual((await open([])).admin, first.admin)
})
