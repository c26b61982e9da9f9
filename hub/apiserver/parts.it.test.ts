import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { needs } from '../../tools/testing/needs.ts'
import { kubectl } from './testing/kubectl.ts'
import { at, done, refused, WIDGET_CRD } from './testing/objects.ts'
import { ask } from './testing/request.ts'
import { type ServedApi, serveTestApi } from './testing/serve.ts'

const SETS = '/apis/apps/v1/namespaces/default/replicasets'
const PODS = '/api/v1/namespaces/default/pods'
const MERGE = { 'content-type': 'application/merge-patch+json' }

describe('parts of objects', () => {
  let api: ServedApi
  const cleanups: (() => Promise<void>)[] = []
  before(async () => {
    api = await serveTestApi({ after: (release) => void cleanups.push(release) }, { crds: [WIDGET_CRD] })
  })
  after(async () => {
    for (const release of cleanups) await release()
  })
  const pod = (name: string, spec: object = {}) => ({
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name } },
    spec: { containers: [{ name: 'main', image: 'busybox' }], ...spec },
  })
  const replicaSet = (name: string, replicas: number) => ({
    ...{ apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { name } },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: pod('').spec },
    },
  })
  const binding = (name: string, target: object) => ({
    method: 'POST',
    path: `${PODS}/${name}/binding`,
    body: { apiVersion: 'v1', kind: 'Binding', metadata: { name }, target },
  })

  it('scale tells and sets the number of replicas', async () => {
    await done(api, { method: 'POST', path: SETS, body: replicaSet('web', 2) })
    const scale = await done(api, { path: `${SETS}/web/scale` })
    assert.deepEqual(
      [at(scale, 'kind'), at(scale, 'apiVersion'), at(scale, 'spec', 'replicas'), at(scale, 'status', 'selector')],
      ['Scale', 'autoscaling/v1', 2, 'app=web'],
    )
    const patched = await done(api, {
      ...{ method: 'PATCH', path: `${SETS}/web/scale`, headers: MERGE, body: { spec: { replicas: 0 } } },
    })
    assert.deepEqual(at(patched, 'spec'), {})
    assert.equal(at(await done(api, { path: `${SETS}/web` }), 'spec', 'replicas'), 0)
    // Without a version: the controller of replica sets writes its status meanwhile.
    const body = { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: 'web' }, spec: { replicas: 4 } }
    await done(api, { method: 'PUT', path: `${SETS}/web/scale`, body })
    assert.equal(at(await done(api, { path: `${SETS}/web` }), 'spec', 'replicas'), 4)
  })

  it('scale refuses what is no number, a version that is past, and kinds that have none', async () => {
    const stale = await done(api, { method: 'POST', path: SETS, body: replicaSet('old', 1) })
    const put = (spec: object, resourceVersion = '') => ({
      ...{ method: 'PUT', path: `${SETS}/old/scale` },
      body: { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: 'old', resourceVersion }, spec },
    })
    await refused(api, put({ replicas: -1 }), 422, 'Invalid')
    await refused(api, put({ replicas: 'many' }), 400, 'BadRequest')
    await done(api, put({ replicas: 3 }))
    const version = String(at(stale, 'metadata', 'resourceVersion'))
    await refused(api, put({ replicas: 5 }, version), 409, 'Conflict')
    await refused(api, { path: '/api/v1/namespaces/default/configmaps/kube/scale' }, 404, 'NotFound')
    await refused(api, { method: 'DELETE', path: `${SETS}/old/scale` }, 405, 'MethodNotAllowed')
  })

  it('a binding sends a pod to a node, once', async () => {
    await done(api, { method: 'POST', path: PODS, body: pod('free') })
    await refused(api, binding('free', { kind: 'Rack', name: 'r' }), 422, 'Invalid')
    await refused(api, binding('free', {}), 422, 'Invalid')
    const { status } = await ask(api, binding('free', { kind: 'Node', name: 'edge-1' }))
    assert.equal(status, 201)
    const bound = await done(api, { path: `${PODS}/free` })
    assert.equal(at(bound, 'spec', 'nodeName'), 'edge-1')
    assert.equal(at(bound, 'status', 'conditions', 0, 'type'), 'PodScheduled')
    await refused(api, binding('free', { kind: 'Node', name: 'edge-2' }), 409, 'Conflict')
    await refused(api, binding('none', { kind: 'Node', name: 'edge-2' }), 404, 'NotFound')
  })

  it('kubectl scales', { skip: needs('kubectl') }, async () => {
    await done(api, { method: 'POST', path: SETS, body: replicaSet('by-hand', 1) })
    const scaled = await kubectl(api, ['scale', 'rs/by-hand', '--replicas=3', '--current-replicas=1'])
    assert.equal(scaled.out, 'replicaset.apps/by-hand scaled\n', scaled.err)
    const refusedOne = await kubectl(api, ['scale', 'rs/by-hand', '--replicas=5', '--current-replicas=1'])
    assert.match(refusedOne.err, /Expected replicas to be 1, was 3/)
    assert.equal(at(await done(api, { path: `${SETS}/by-hand` }), 'spec', 'replicas'), 3)
  })
})
