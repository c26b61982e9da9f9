import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { crds } from '../../schemas/crd/index.ts'
import { kubectl } from './testing/kubectl.ts'
import { at, done, refused } from './testing/objects.ts'
import { ask } from './testing/request.ts'
import { type ServedApi, serveTestApi } from './testing/serve.ts'

const DEVICES = '/apis/devices.kubeedge.io/v1beta1/namespaces/default/devices'
const MAPS = '/api/v1/namespaces/default/configmaps'
const APPLY = { 'content-type': 'application/apply-patch+yaml' }

describe('server-side apply', () => {
  let api: ServedApi
  const cleanups: (() => Promise<void>)[] = []
  before(async () => {
    api = await serveTestApi({ after: (release) => void cleanups.push(release) }, { crds })
  })
  after(async () => {
    for (const release of cleanups) await release()
  })
  const device = (name: string, desired: Readonly<Record<string, string>>) => ({
    ...{ apiVersion: 'devices.kubeedge.io/v1beta1', kind: 'Device', metadata: { name } },
    spec: { properties: Object.entries(desired).map(([property, value]) => ({ name: property, desired: { value } })) },
  })
  const map = (name: string, data: object) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data })
  const apply = (path: string, manager: string, body: object, more = '') => ({
    ...{ method: 'PATCH', path: `${path}?fieldManager=${manager}${more}`, headers: APPLY, body },
  })
  const propertiesOf = (answer: unknown) => {
    const properties = at(answer, 'spec', 'properties')
    assert.ok(Array.isArray(properties))
    return properties.map((each) => `${String(at(each, 'name'))}=${String(at(each, 'desired', 'value'))}`)
  }

  it('two managers own two properties of one device, each its own', async () => {
    const path = `${DEVICES}/pump`
    assert.equal((await ask(api, apply(path, 'line', device('pump', { speed: '10' })))).status, 201)
    const both = await done(api, apply(path, 'lab', device('pump', { pressure: '3' })))
    assert.deepEqual(propertiesOf(both), ['speed=10', 'pressure=3'])
    const { json } = await refused(
      api,
      apply(path, 'lab', device('pump', { pressure: '3', speed: '99' })),
      409,
      'Conflict',
    )
    assert.equal(
      at(json, 'message'),
      'Apply failed with 1 conflict: conflict with "line": .spec.properties[name="speed"].desired.value',
    )
    assert.deepEqual(at(json, 'details', 'causes', 0), {
      reason: 'FieldManagerConflict',
      message: 'conflict with "line"',
      field: '.spec.properties[name="speed"].desired.value',
    })
    const gone = await done(api, apply(path, 'line', device('pump', {})))
    assert.deepEqual(propertiesOf(gone), ['pressure=3'])
  })

  it('by force takes a field over; what nobody says any more is gone', async () => {
    const path = `${MAPS}/forced`
    await done(api, { method: 'POST', path: MAPS, body: map('forced', { a: '1', b: '1' }) })
    await refused(api, apply(path, 'x', map('forced', { a: '2' })), 409, 'Conflict')
    await done(api, apply(path, 'x', map('forced', { a: '2', c: '3' }), '&force=true'))
    const last = await done(api, apply(path, 'x', map('forced', {})))
    assert.deepEqual(at(last, 'data'), { b: '1' })
  })

  it('that changes nothing writes nothing, and dry run never does', async () => {
    const path = `${MAPS}/still`
    const first = await ask(api, apply(path, 'x', map('still', { a: '1' })))
    const again = await done(api, apply(path, 'x', map('still', { a: '1' })))
    assert.equal(at(again, 'metadata', 'resourceVersion'), at(first.json, 'metadata', 'resourceVersion'))
    const dry = await done(api, apply(path, 'x', map('still', { a: '2' }), '&dryRun=All'))
    assert.deepEqual(at(dry, 'data'), { a: '2' })
    assert.deepEqual(at(await done(api, { path }), 'data'), { a: '1' })
  })

  it('refuses what it cannot take, in the words of Kubernetes', async () => {
    const path = `${MAPS}/odd`
    const message = async (asked: object, code: number, reason: string) => {
      const { json } = await refused(api, { method: 'PATCH', path, headers: APPLY, ...asked }, code, reason)
      return String(at(json, 'message'))
    }
    assert.equal(
      await message({ body: map('odd', {}) }, 422, 'Invalid'),
      'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    )
    const named = `${path}?fieldManager=x`
    assert.equal(
      await message({ path: named, body: { ...map('odd', {}), kind: 'Secret' } }, 400, 'BadRequest'),
      'invalid object type: /v1, Kind=Secret',
    )
    const managed = { ...map('odd', {}), metadata: { name: 'odd', managedFields: [] } }
    assert.equal(await message({ path: named, body: managed }, 400, 'BadRequest'), 'metadata.managedFields must be nil')
    const unknown = await ask(api, apply(path, 'x', { ...map('odd', {}), colour: 'red' }))
    assert.deepEqual(
      [unknown.status, at(unknown.json, 'message')],
      [
        500,
        'failed to create typed patch object (default/odd; /v1, Kind=ConfigMap): .colour: field not declared in schema',
      ],
    )
    const status = `/api/v1/namespaces/default/pods/none/status`
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'none' } }
    await refused(api, apply(status, 'x', pod), 404, 'NotFound')
  })

  it('an empty list of managers forgets them until the next apply', async () => {
    const path = `${MAPS}/reset`
    await done(api, { method: 'POST', path: MAPS, body: map('reset', { a: '1' }) })
    const put = (data: object, metadata: object) => ({
      ...{ method: 'PUT', path, body: { ...map('reset', data), metadata: { name: 'reset', ...metadata } } },
    })
    assert.equal(at(await done(api, put({ a: '1' }, { managedFields: [] })), 'metadata', 'managedFields'), undefined)
    assert.equal(at(await done(api, put({ a: '2' }, {})), 'metadata', 'managedFields'), undefined)
    const { json } = await refused(api, apply(path, 'x', map('reset', { a: '3' })), 409, 'Conflict')
    assert.match(String(at(json, 'message')), /conflict with "before-first-apply" using v1: \.data\.a$/)
  })

  it('kubectl applies, sees conflicts and differences, and goes over from client-side apply', async () => {
    const text = (value: string) => JSON.stringify(map('settings', { speed: value }))
    const run = (parameters: string, input = '') => kubectl(api, parameters.split(' '), { input })
    assert.equal((await run('apply -f -', text('1'))).code, 0)
    const taken = await run('apply --server-side -f -', text('2'))
    assert.deepEqual([taken.code, taken.out], [0, 'configmap/settings serverside-applied\n'], taken.err)
    const conflict = await run('apply --server-side --field-manager=other -f -', text('3'))
    assert.equal(conflict.code, 1)
    assert.match(conflict.err, /Apply failed with 1 conflict: conflict with "kubectl": \.data\.speed/)
    const difference = await run('diff --server-side --field-manager=other --force-conflicts -f -', text('3'))
    assert.equal(difference.code, 1, difference.err)
    assert.match(difference.out, /\n- {2}speed: "2"\n\+ {2}speed: "3"\n/)
    assert.equal((await run('apply --server-side --force-conflicts --field-manager=other -f -', text('3'))).code, 0)
    assert.equal((await run('label cm settings a=b --field-manager=labels')).code, 0)
    const shown = await run('get cm settings -o yaml --show-managed-fields')
    assert.match(shown.out, /manager: labels\n {4}operation: Update/)
    assert.doesNotMatch((await run('get cm settings -o yaml')).out, /managedFields/)
  })
})
