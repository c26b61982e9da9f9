import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { encodeProtobuf } from '../kube/protobuf/index.ts'
import { matchesFormat } from '../kube/schema/formats.ts'
import { at, configMap, done, MAPS, refused, WIDGET_CRD, WIDGETS } from './testing/objects.ts'
import { ask } from './testing/request.ts'
import { type ServedApi, serveTestApi } from './testing/serve.ts'

const ROLES = '/apis/rbac.authorization.k8s.io/v1/clusterroles'
const YAML = 'application/yaml'
const APPLY = 'application/apply-patch+yaml'
const HEAD = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n'

describe('bodies that cannot be read, or were made to do harm,', () => {
  let api: ServedApi
  const cleanups: (() => Promise<void>)[] = []
  before(async () => {
    api = await serveTestApi({ after: (release) => void cleanups.push(release) }, { crds: [WIDGET_CRD] })
  })
  after(async () => {
    for (const release of cleanups) await release()
  })
  const send = (body: string, type = 'application/json', path = MAPS, method = 'POST') => ({
    ...{ method, path, body, headers: { 'content-type': type } },
  })

  it('are refused', async () => {
    await refused(api, send('{'), 400, 'BadRequest')
    await refused(api, send('[]'), 400, 'BadRequest')
    await refused(api, send('{}', 'text/plain'), 415, 'UnsupportedMediaType')
    await refused(api, send(JSON.stringify({ big: 'x'.repeat(3 * 1024 * 1024) })), 413, 'RequestEntityTooLarge')
  })

  it('are refused in JSON that is nested without end or has values without number', async () => {
    await refused(api, send(`${'['.repeat(100_000)}${']'.repeat(100_000)}`), 400, 'BadRequest')
    const many = configMap('many', { finalizers: Array.from({ length: 100_000 }, (_, n) => `a/b${n}`) })
    const { text } = await refused(api, send(JSON.stringify(many)), 400, 'BadRequest')
    assert.match(text, /holds more than 100000 values/)
  })

  it('are refused in YAML that is nested without end, in whatever way', async () => {
    for (const opening of ['- ', '? ', 'a: ', ': ', '[', '{a: ', '[a,']) {
      for (const type of [YAML, APPLY]) {
        const path = type === APPLY ? `${MAPS}/deep?fieldManager=me` : MAPS
        const method = type === APPLY ? 'PATCH' : 'POST'
        const deep = `a:\n  ${opening.repeat(30_000)}`
        const { text } = await refused(api, send(deep, type, path, method), 400, 'BadRequest')
        assert.match(text, /nested deeper than 500/)
      }
    }
  })

  it('are refused in YAML of which aliases make much, or what contains itself', async () => {
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefgh'.replaceAll(/./g, (name, index) => `${name}: &${name} [${`*${'abcdefgh'[index]},`.repeat(9)}x]\n`)}`
    await refused(api, send(bomb, YAML), 400, 'BadRequest')
    await refused(api, send(`${HEAD}  name: &n round\n  labels: &l\n    a: *l\n`, YAML), 400, 'BadRequest')
    await refused(api, send(`${HEAD}  name: *nobody\n`, YAML), 400, 'BadRequest')
    const long = `${HEAD}  name: long\na: &a ${'x'.repeat(400_000)}\nb: [${'*a,'.repeat(50)}]\n`
    await refused(api, send(long, YAML), 413, 'RequestEntityTooLarge')
  })

  it('are refused in YAML that is long', async () => {
    await refused(
      api,
      send(`${HEAD}  name: long\ndata:\n  a: ${'x'.repeat(600_000)}\n`, YAML),
      413,
      'RequestEntityTooLarge',
    )
    await refused(api, send(`${HEAD}  name: long\ndata: {${'"" '.repeat(100_000)}`, YAML), 413, 'RequestEntityTooLarge')
    await refused(api, send(`${HEAD}  name: two\n---\n${HEAD}  name: three\n`, YAML), 400, 'BadRequest')
  })

  it('are read in YAML where there is no harm, with many keys in one mapping', async () => {
    const keys = Array.from({ length: 10_000 }, (_, n) => `  key${n}: "v"\n`).join('')
    const made = await done(api, { ...send(`${HEAD}  name: many-keys\ndata:\n${keys}`, YAML) })
    assert.equal(Object.keys(Object(at(made, 'data'))).length, 10_000)
    const { text } = await refused(api, send(`${HEAD}  name: twice\n  name: twice\n`, YAML), 400, 'BadRequest')
    assert.match(text, /line 5: key \\"name\\" already set in map/)
  })

  it('are refused in protobuf that hides deep JSON', async () => {
    let nested = '1'
    for (let depth = 0; depth < 1_000; depth++) nested = `{"f:a":${nested}}`
    const managed = {
      manager: 'm',
      operation: 'Update',
      apiVersion: 'v1',
      fieldsType: 'FieldsV1',
      fieldsV1: JSON.parse(nested),
    }
    const object = { ...configMap('proto'), metadata: { name: 'proto', managedFields: [managed] } }
    const body = Buffer.from(encodeProtobuf(object))
    const reply = await fetchBinary(api, body)
    assert.equal(reply, 400)
  })

  it('leave nothing that is deeper than what may come in', async () => {
    const path = WIDGETS.replace('/v1/', '/v1beta1/')
    let nested: unknown = 1
    for (let depth = 0; depth < 450; depth++) nested = { a: nested }
    const widget = { apiVersion: 'acme.io/v1beta1', kind: 'Widget', metadata: { name: 'deep' }, x: nested }
    await done(api, { method: 'POST', path, body: widget })
    const copy = [{ op: 'copy', from: '/x', path: `/x${'/a'.repeat(450)}` }]
    const headers = { 'content-type': 'application/json-patch+json' }
    await refused(api, { method: 'PATCH', path: `${path}/deep`, body: copy, headers }, 400, 'BadRequest')
    const shown = await ask(api, { path, headers: { accept: YAML } })
    assert.equal(shown.status, 200)
  })

  it('make no name that neither a URL nor the database can say', async () => {
    const role = (name: string) =>
      `{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":"half-${name}"}}`
    const made = await done(api, send(role('\\ud800'), 'application/json', ROLES))
    assert.equal(at(made, 'metadata', 'name'), 'half-\ufffd')
    await refused(api, send(role('\\ud801'), 'application/json', ROLES), 409, 'AlreadyExists')
    await done(api, send(role('\\ud83d\\ude00'), 'application/json', ROLES))
    await done(api, { path: `${ROLES}/${encodeURIComponent('half-\ufffd')}` })
    await done(api, { path: `${ROLES}/${encodeURIComponent('half-😀')}` })
  })

  it('change nothing of what JavaScript has by those names', async () => {
    const body =
      '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"constructor"},"data":{"__proto__":"a","toString":"b"}}'
    const made = await ask(api, send(body))
    assert.match(made.text, /"data":{"__proto__":"a","toString":"b"}/)
    const merge = send('{"data":{"__proto__":"c"}}', 'application/merge-patch+json', `${MAPS}/constructor`, 'PATCH')
    assert.match((await ask(api, merge)).text, /"data":{"__proto__":"c","toString":"b"}/)
  })
})

describe('paths and names that were made to do harm', () => {
  let api: ServedApi
  const cleanups: (() => Promise<void>)[] = []
  before(async () => {
    api = await serveTestApi({ after: (release) => void cleanups.push(release) })
  })
  after(async () => {
    for (const release of cleanups) await release()
  })

  it('lead nowhere, whoever they name as the host', async () => {
    for (const path of ['//[', '//x:99999/', '/%', '/api/v1/%ff', '//elsewhere/api/v1/namespaces']) {
      assert.ok([400, 404].includes((await ask(api, { path })).status), path)
    }
    const hidden = ['/healthz/../api/v1/secrets', '/healthz/%2e%2e/api/v1/secrets', '//healthz/api/v1/secrets']
    for (const path of hidden) {
      assert.ok([400, 403].includes((await ask(api, { path, anonymous: true })).status), path)
    }
  })

  it('are no operators, formats or types because JavaScript knows them', async () => {
    const selector = encodeURIComponent('app constructor x')
    await refused(api, { path: `${MAPS}?labelSelector=${selector}` }, 400, 'BadRequest')
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'typed' }, type: 'constructor' }
    await done(api, { method: 'POST', path: '/api/v1/namespaces/default/secrets', body: secret })
    assert.ok(matchesFormat('__proto__', 'x') && matchesFormat('hasOwnProperty', 'x'))
  })
})

async function fetchBinary(api: ServedApi, body: Buffer): Promise<number> {
  const { request } = await import('node:https')
  const { certificate: cert, privateKey: key } = api.pki.admin
  const headers = { 'content-type': 'application/vnd.kubernetes.protobuf', 'content-length': String(body.length) }
  return await new Promise((resolve, reject) => {
    const asking = request(
      api.url + MAPS,
      { method: 'POST', ca: api.pki.ca, cert, key, agent: false, headers },
      (response) => {
        response.resume().on('end', () => resolve(response.statusCode ?? 0))
      },
    )
    asking.on('error', reject).end(body)
  })
}
