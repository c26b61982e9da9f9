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
    assert.equal(at(await done(api, service('next', { clusterIP: '10.96.77.7' })), 'spec', 'clusterIP'), '10.96.77.7')
  })

  it('that are reached from outside get a port of the nodes for each of theirs, and give it back', async () => {
    const ports = [
      { name: 'a', port: 80, nodePort: 31_999 },
      { name: 'b', port: 81 },
    ]
    const made = await done(api, service('door', { type: 'NodePort', ports }))
    assert.equal(at(made, 'spec', 'ports', 0, 'nodePort'), 31_999)
    const given = Number(at(made, 'spec', 'ports', 1, 'nodePort'))
    assert.ok(given >= 30_000 && given <= 32_767 && given !== 31_999)
    const again = (nodePort: number) => service('gate', { type: 'NodePort', ports: [{ port: 80, nodePort }] })
    const taken = await refused(api, again(31_999), 422, 'Invalid')
    assert.match(taken.text, /spec\.ports\[0\]\.nodePort: Invalid value: 31999: provided port is already allocated/)
    assert.match((await refused(api, again(80), 422, 'Invalid')).text, /The range of valid ports is 30000-32767/)
    const headers = { 'content-type': 'application/merge-patch+json' }
    const patch = (spec: object) => ({ method: 'PATCH', path: `${SERVICES}/door`, body: { spec }, headers })
    const renamed = await done(
      api,
      patch({
        ports: [
          { name: 'b', port: 81 },
          { name: 'c', port: 82 },
        ],
      }),
    )
    assert.equal(at(renamed, 'spec', 'ports', 0, 'nodePort'), given, 'a port keeps its own')
    const inside = await done(api, patch({ type: 'ClusterIP' }))
    assert.equal(at(inside, 'spec', 'ports', 0, 'nodePort'), undefined)
    assert.equal(at(inside, 'spec', 'externalTrafficPolicy'), undefined)
    await done(api, again(31_999))
    const local = { type: 'LoadBalancer', externalTrafficPolicy: 'Local' }
    assert.ok(Number(at(await done(api, service('local', local)), 'spec', 'healthCheckNodePort')) >= 30_000)
    const inner = service('inner', { ports: [{ port: 80, nodePort: 31_000 }] })
    assert.match((await refused(api, inner, 422, 'Invalid')).text, /may not be used when `type` is 'ClusterIP'/)
  })

  it('that were refused and come again find the address and the port that they asked for', async () => {
    const spec = {
      type: 'NodePort',
      clusterIP: '10.96.88.8',
      sessionAffinity: 'Odd',
      ports: [{ port: 80, nodePort: 30_808 }],
    }
    await refused(api, service('again', spec), 422, 'Invalid')
    await done(api, service('again', { ...spec, sessionAffinity: 'None' }))
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
