import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { at, done, refused } from './testing/objects.ts'
import { type ServedApi, serveTestApi } from './testing/serve.ts'

const SERVICES = '/api/v1/namespaces/default/services'

describe('services', () => {
  let api: ServedApi
  const cleanups: (() => Promise<void>)[] = []
  before(async () => {
    api = await serveTestApi({ after: (release) => void cleanups.push(release) })
  })
  after(async () => {
    for (const release of cleanups) await release()
  })
  const service = (name: string, spec: object) => ({
    ...{ method: 'POST', path: SERVICES },
    body: { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { ports: [{ port: 80 }], ...spec } },
  })

  it('each get an address of their own, also when many are made at once', async () => {
    const made = await Promise.all(Array.from({ length: 20 }, (_, index) => done(api, service(`s${index}`, {}))))
    const addresses = made.map((each) => String(at(each, 'spec', 'clusterIP')))
    assert.equal(new Set(addresses).size, 20)
    for (const address of addresses) assert.match(address, /^10\.96\.\d+\.\d+$/)
    const [taken = ''] = addresses
    const { text } = await refused(api, service('thief', { clusterIP: taken }), 422, 'Invalid')
    assert.match(text, /provided IP is already allocated/)
    await refused(api, service('far', { clusterIP: '192.168.0.1' }), 422, 'Invalid')
  })

  it('keep their address through changes, and give it back when they go', async () => {
    await done(api, service('fixed', { clusterIP: '10.96.77.7' }))
    const body = { ...service('fixed', { ports: [{ port: 81 }] }).body }
    const { metadata } = Object(await done(api, { path: `${SERVICES}/fixed` }))
    const changed = await done(api, { method: 'PUT', path: `${SERVICES}/fixed`, body: { ...body, metadata } })
    assert.equal(at(changed, 'spec', 'clusterIP'), '10.96.77.7')
    await done(api, { method: 'DELETE', path: `${SERVICES}/fixed` })
  })

  it('have none where they are headless or an alias', async () => {
    assert.equal(at(await done(api, service('headless', { clusterIP: 'None' })), 'spec', 'clusterIP'), 'None')
    const alias = await done(api, service('alias', { type: 'ExternalName', externalName: 'acme.example' }))
    assert.equal(at(alias, 'spec', 'clusterIP'), undefined)
  })

  it('the API has one, which leads to it', async () => {
    assert.equal(at(await done(api, { path: `${SERVICES}/kubernetes` }), 'spec', 'clusterIP'), '10.96.0.1')
    const target = at(await done(api, { path: `${SERVICES}/kubernetes` }), 'spec', 'ports', 0, 'targetPort')
    assert.equal(target, Number(new URL(api.url).port))
  })
})
