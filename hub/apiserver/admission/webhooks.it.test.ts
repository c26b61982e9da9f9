import assert from 'node:assert/strict'
import { createServer } from 'node:https'
import { after, before, describe, it } from 'node:test'
import { at, configMap, done, MAPS, refused } from '../testing/objects.ts'
import { ask } from '../testing/request.ts'
import { type ServedApi, serveTestApi } from '../testing/serve.ts'

type Review = (request: unknown) => unknown

describe('admission webhooks', () => {
  let api: ServedApi
  let url = ''
  let review: Review | 'silent' = () => ({ allowed: true })
  const asked: unknown[] = []
  const paths: string[] = []
  let connections = 0
  /** Connections on which a question came before. */
  const used = new WeakSet<object>()
  let isDroppingUsed = false
  const cleanups: (() => Promise<void>)[] = []
  before(async () => {
    api = await serveTestApi({ after: (release) => void cleanups.push(release) })
    const { certificate: cert, privateKey: key } = api.pki.serving
    const server = createServer({ cert, key }, async (request, response) => {
      if (isDroppingUsed && used.has(request.socket)) {
        request.socket.destroy()
        return
      }
      used.add(request.socket)
      paths.push(request.url ?? '')
      let text = ''
      for await (const chunk of request.setEncoding('utf8')) text += String(chunk)
      const question = at(JSON.parse(text), 'request')
      asked.push(question)
      if (review === 'silent') return
      const answer = { uid: at(question, 'uid'), ...Object(review(question)) }
      response.end(JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: answer }))
    })
    server.on('secureConnection', () => void connections++)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    url = `https://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/validate`
    cleanups.push(async () => {
      server.closeAllConnections()
      server.close()
    })
  })
  after(async () => {
    for (const release of cleanups) await release()
  })

  /** Registers a webhook for ConfigMaps with a label of its own, so that the tests do not meet. */
  const register = async (name: string, changes: { readonly [key: string]: unknown } = {}, kind = 'Validating') => {
    const webhook = {
      name: `${name}.acme.io`,
      admissionReviewVersions: ['v1'],
      sideEffects: 'None',
      clientConfig: { url, caBundle: Buffer.from(api.pki.ca).toString('base64') },
      rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['configmaps'] }],
      objectSelector: { matchLabels: { test: name } },
      ...changes,
    }
    const path = `/apis/admissionregistration.k8s.io/v1/${kind.toLowerCase()}webhookconfigurations`
    const apiVersion = 'admissionregistration.k8s.io/v1'
    const body = { apiVersion, kind: `${kind}WebhookConfiguration`, metadata: { name }, webhooks: [webhook] }
    await done(api, { method: 'POST', path, body })
  }
  const create = (test: string, name = test) => ({
    method: 'POST',
    path: MAPS,
    body: configMap(name, { labels: { test } }),
  })

  it('see what is about to be stored, and may refuse it in their own words', async () => {
    await register('refusing')
    const causes = [{ reason: 'FieldValueInvalid', field: 'data.key', message: 'too large' }]
    review = () => ({ allowed: false, status: { code: 422, message: 'no: data.key: too large', details: { causes } } })
    const { json } = await refused(api, create('refusing'), 422, 'Invalid')
    const message = 'admission webhook "refusing.acme.io" denied the request: no: data.key: too large'
    assert.deepEqual([at(json, 'message'), at(json, 'details', 'causes')], [message, causes])
    const question = asked.at(-1)
    assert.deepEqual(
      [at(question, 'operation'), at(question, 'object', 'data', 'key'), at(question, 'userInfo', 'username')],
      ['CREATE', 'value', 'kubernetes-admin'],
    )
    review = () => ({ allowed: true, warnings: ['mind the gap'] })
    const { headers } = await ask(api, create('refusing'))
    assert.equal(headers['warning'], '299 - "mind the gap"')
    review = (request) => ({ allowed: at(request, 'oldObject', 'data', 'key') !== 'value' })
    const path = `${MAPS}/refusing`
    const patch = { method: 'PATCH', path, body: {}, headers: { 'content-type': 'application/merge-patch+json' } }
    await refused(api, { ...patch, body: { data: { key: 'x' } } }, 403, 'Forbidden')
  })

  it('are asked over connections that stay, and again over a new one where theirs is gone', async () => {
    await register('kept')
    review = () => ({ allowed: true })
    await done(api, create('kept', 'kept-1'))
    const before = connections
    await done(api, create('kept', 'kept-2'))
    assert.equal(connections, before)
    isDroppingUsed = true
    await done(api, create('kept', 'kept-3'))
    isDroppingUsed = false
    assert.equal(connections, before + 1)
  })

  it('are not asked about what their rules and selectors leave out', async () => {
    await register('narrow', { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } } })
    review = () => ({ allowed: false })
    await done(api, create('narrow'))
    const system = { ...create('narrow'), path: MAPS.replace('default', 'kube-system') }
    await refused(api, system, 403, 'Forbidden')
  })

  it('that cannot be asked refuse or not, as their policy says', async () => {
    const nowhere = { url: 'https://127.0.0.1:1/', caBundle: Buffer.from(api.pki.ca).toString('base64') }
    await register('dead', { clientConfig: nowhere, failurePolicy: 'Fail' })
    const { json } = await refused(api, create('dead'), 500, 'InternalError')
    const why = 'Post "https://127.0.0.1:1/?timeout=10s": dial tcp 127.0.0.1:1: connect: connection refused'
    const head = 'Internal error occurred: failed calling webhook "dead.acme.io": failed to call webhook'
    assert.equal(at(json, 'message'), `${head}: ${why}`)
    await register('ignored', { clientConfig: nowhere, failurePolicy: 'Ignore' })
    await done(api, create('ignored'))
    await register('untrusted', { clientConfig: { url }, failurePolicy: 'Fail' })
    await refused(api, create('untrusted'), 500, 'InternalError')
  })

  it('are found by their Service, and have to be it by their certificate', async () => {
    const own = { namespace: 'default', name: 'kubernetes', path: '/check' }
    const caBundle = Buffer.from(api.pki.ca).toString('base64')
    await register('served', { clientConfig: { service: own, caBundle }, failurePolicy: 'Fail', timeoutSeconds: 7 })
    const told = async (test: string) => {
      const { json } = await refused(api, create(test), 500, 'InternalError')
      return String(at(json, 'message')).replace(/.*failed to call webhook: /, '')
    }
    const head = 'Post "https://kubernetes.default.svc:443/check?timeout=7s"'
    assert.equal(await told('served'), `${head}: no endpoints available for service "kubernetes"`)
    const port = Number(new URL(url).port)
    const slice = (service: string, endpoints: readonly object[], name = service) => ({
      ...{ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', addressType: 'IPv4', endpoints },
      metadata: { name, labels: { 'kubernetes.io/service-name': service } },
      ports: [{ name: 'https', port }],
    })
    const SLICES = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices'
    const unready = { addresses: ['127.0.0.1'], conditions: { ready: false } }
    await done(api, { method: 'POST', path: SLICES, body: slice('kubernetes', [unready]) })
    assert.equal(await told('served'), `${head}: no endpoints available for service "kubernetes"`)
    const ready = slice('kubernetes', [{ addresses: ['127.0.0.1'] }], 'kubernetes-2')
    await done(api, { method: 'POST', path: SLICES, body: ready })
    review = () => ({ allowed: true, warnings: ['seen'] })
    const { headers } = await ask(api, create('served'))
    assert.deepEqual([headers['warning'], paths.at(-1)], ['299 - "seen"', '/check?timeout=7s'])

    const spec = { ports: [{ name: 'https', port: 443 }] }
    const body = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'other' }, spec }
    await done(api, { method: 'POST', path: '/api/v1/namespaces/default/services', body })
    await done(api, { method: 'POST', path: SLICES, body: slice('other', [{ addresses: ['127.0.0.1'] }]) })
    await register('posing', { clientConfig: { service: { ...own, name: 'other' }, caBundle }, failurePolicy: 'Fail' })
    assert.match(await told('posing'), /other\.default\.svc.* is not in the cert's altnames/)
  })

  it('that do not answer are given up after their time', async () => {
    await register('slow', { timeoutSeconds: 1, failurePolicy: 'Fail' })
    review = 'silent'
    const { json } = await refused(api, create('slow'), 500, 'InternalError')
    assert.match(String(at(json, 'message')), /\?timeout=1s": context deadline exceeded$/)
  })

  it('may change the object, and what they make of it is validated', async () => {
    await register('changing', {}, 'Mutating')
    const patch = (operations: unknown) => () => ({
      allowed: true,
      patchType: 'JSONPatch',
      patch: Buffer.from(JSON.stringify(operations)).toString('base64'),
    })
    review = patch([{ op: 'add', path: '/data/added', value: 'yes' }])
    assert.deepEqual(at(await done(api, create('changing')), 'data'), { key: 'value', added: 'yes' })
    review = patch([{ op: 'add', path: '/data/not valid!', value: 'x' }])
    await refused(api, create('changing', 'other'), 422, 'Invalid')
  })

  it('cannot make another object of it, or one with fields that its kind does not have', async () => {
    await register('lying', {}, 'Mutating')
    const patch = (path: string, value: unknown) => () => ({
      allowed: true,
      patchType: 'JSONPatch',
      patch: Buffer.from(JSON.stringify([{ op: 'replace', path, value }])).toString('base64'),
    })
    const lies = { '/metadata/name': 'x', '/metadata/namespace': 'kube-system', '/metadata/uid': '1', '/kind': 'Pod' }
    for (const [path, value] of Object.entries(lies)) {
      review = patch(path, value)
      const { json } = await refused(api, create('lying'), 500, 'InternalError')
      assert.match(String(at(json, 'message')), /are not for a webhook to change/)
    }
    review = patch('/metadata', { ...configMap('lying').metadata })
    await refused(api, create('lying'), 500, 'InternalError')
    let nested: unknown = 1
    for (let depth = 0; depth < 600; depth++) nested = { a: nested }
    review = patch('/data', nested)
    await refused(api, create('lying'), 500, 'InternalError')
    review = () => ({ allowed: true, nested })
    await refused(api, create('lying'), 500, 'InternalError')
    review = (request) => ({
      allowed: true,
      patchType: 'JSONPatch',
      patch: Buffer.from('[{"op":"add","path":"/unknown","value":1}]').toString('base64'),
      question: at(request, 'uid'),
    })
    assert.equal(at(await done(api, create('lying')), 'unknown'), undefined)
  })
})
