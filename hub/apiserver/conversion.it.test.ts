import assert from 'node:assert/strict'
import { createServer } from 'node:https'
import { after, before, beforeEach, describe, it, test } from 'node:test'
import { temporaryFolder } from '../../tools/testing/temporary-folder.ts'
import { at, done, refused, WIDGET_CRD, WIDGETS, watch, widget } from './testing/objects.ts'
import { ask } from './testing/request.ts'
import { type ServedApi, serveApi, serveTestApi } from './testing/serve.ts'

type Converted = (object: { readonly [key: string]: unknown }, version: string) => unknown

const OTHERS = WIDGETS.replace('/v1/', '/v1beta1/')
const CRD = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.acme.io'
const MERGE = { 'content-type': 'application/merge-patch+json' }

/** The old version calls the size `length`, and counts it in tenths. */
const honest: Converted = (object, apiVersion) => {
  const { size, length, ...spec } = Object(object['spec'])
  const amount = apiVersion.endsWith('v1') ? { size: length / 10 } : { length: size * 10 }
  return { ...object, apiVersion, spec: { ...spec, ...amount } }
}

describe('conversion webhooks', () => {
  let api: ServedApi
  let convert: Converted = honest
  let failure: string | undefined
  const calls: number[] = []
  const cleanups: (() => Promise<void>)[] = []
  before(async () => {
    api = await serveTestApi({ after: (release) => void cleanups.push(release) }, { crds: [WIDGET_CRD] })
    const { certificate: cert, privateKey: key } = api.pki.serving
    const server = createServer({ cert, key }, async (request, response) => {
      let text = ''
      for await (const chunk of request.setEncoding('utf8')) text += String(chunk)
      const { uid, desiredAPIVersion, objects } = JSON.parse(text).request
      calls.push(objects.length)
      const answer = {
        uid,
        result: failure === undefined ? { status: 'Success' } : { status: 'Failure', message: failure },
        convertedObjects: objects.map((object: Parameters<Converted>[0]) => convert(object, desiredAPIVersion)),
      }
      response.end(
        JSON.stringify({ apiVersion: 'apiextensions.k8s.io/v1', kind: 'ConversionReview', response: answer }),
      )
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    cleanups.push(async () => {
      server.closeAllConnections()
      server.close()
    })
    const url = `https://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/convert`
    const clientConfig = { url, caBundle: Buffer.from(api.pki.ca).toString('base64') }
    const webhook = { clientConfig, conversionReviewVersions: ['v1'] }
    const body = { spec: { conversion: { strategy: 'Webhook', webhook } } }
    await done(api, { method: 'PATCH', path: CRD, headers: MERGE, body })
  })
  beforeEach(() => {
    convert = honest
    failure = undefined
    calls.length = 0
  })
  after(async () => {
    for (const release of cleanups) await release()
  })
  const old = (name: string, length: number) => ({ ...widget(name, { length }), apiVersion: 'acme.io/v1beta1' })

  it('convert what comes in, is patched and goes out at another version than the stored one', async () => {
    const made = await done(api, { method: 'POST', path: OTHERS, body: old('a', 30) })
    assert.deepEqual(at(made, 'spec', 'length'), 30)
    const path = `${OTHERS}/a`
    const shown = await done(api, { method: 'PATCH', path, headers: MERGE, body: { spec: { length: 50 } } })
    assert.equal(at(shown, 'spec', 'length'), 50)
    calls.length = 0
    assert.equal(at(await done(api, { path: `${WIDGETS}/a` }), 'spec', 'size'), 5)
    assert.deepEqual(calls, [], 'the stored version needs nobody')
    await done(api, { method: 'PATCH', path: `${WIDGETS}/a`, headers: MERGE, body: { spec: { size: 6 } } })
    assert.deepEqual(calls, [1, 1], 'who wrote in the other version may lose a field of it')
    const json = [{ op: 'replace', path: '/spec/length', value: 70 }]
    const headers = { 'content-type': 'application/json-patch+json' }
    await done(api, { method: 'PATCH', path: `${path}?dryRun=All`, headers, body: json })
    assert.equal(at(await done(api, { path }), 'spec', 'length'), 60)
    await done(api, { method: 'DELETE', path })
    await refused(api, { path }, 404, 'NotFound')
  })

  it('are asked once for each page of a list, also for tables and watches', async () => {
    for (const name of ['p1', 'p2', 'p3']) await done(api, { method: 'POST', path: WIDGETS, body: widget(name) })
    calls.length = 0
    const page = await done(api, { path: `${OTHERS}?limit=2` })
    assert.deepEqual([at(page, 'items', 1, 'spec', 'length'), calls], [10, [2]])
    const table = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' }
    assert.equal(at(await done(api, { path: OTHERS, headers: table }), 'kind'), 'Table')
    assert.deepEqual(calls, [2, 3])
    using watching = await watch(api, `${OTHERS}?watch=true`)
    assert.deepEqual(await watching.take(3), ['ADDED p1', 'ADDED p2', 'ADDED p3'])
    await done(api, { method: 'PATCH', path: `${WIDGETS}/p2`, headers: MERGE, body: { spec: { size: 4 } } })
    const { type, object } = await watching.next()
    assert.deepEqual(
      [type, at(object, 'apiVersion'), at(object, 'spec', 'length')],
      ['MODIFIED', 'acme.io/v1beta1', 40],
    )
    assert.deepEqual(calls, [2, 3, 3, 1])
  })

  it('change labels and annotations, and no other metadata', async () => {
    convert = (object, version) => {
      const metadata = Object(object['metadata'])
      const seen = { ...metadata, labels: { seen: 'yes' }, finalizers: ['acme.io/x'], generation: 99 }
      return { ...Object(honest(object, version)), metadata: seen }
    }
    const { metadata } = Object(await done(api, { method: 'POST', path: OTHERS, body: old('meta', 10) }))
    assert.deepEqual([metadata.labels, metadata.finalizers, metadata.generation], [{ seen: 'yes' }, undefined, 1])
  })

  it('that fail or answer amiss fail the request in the words of a cluster', async () => {
    await done(api, { method: 'POST', path: WIDGETS, body: widget('f') })
    const path = `${OTHERS}/f`
    const head = 'conversion webhook for acme.io/v1, Kind=Widget'
    const messageOf = async () => String(at((await refused(api, { path }, 500, 'InternalError')).json, 'message'))
    failure = 'no such colour'
    assert.equal(await messageOf(), `${head} failed: no such colour`)
    using watching = await watch(api, `${OTHERS}?watch=true&fieldSelector=metadata.name%3Df`)
    const told = await watching.next()
    assert.deepEqual([told.type, at(told.object, 'message')], ['ERROR', `${head} failed: no such colour`])
    failure = undefined
    convert = (object, version) => ({
      ...Object(honest(object, version)),
      metadata: { name: 'g', namespace: 'default' },
    })
    assert.match(await messageOf(), /returned invalid converted object at index 0: must have the same name: f != g/)
    convert = (object) => object
    assert.match(await messageOf(), /must have the apiVersion acme\.io\/v1beta1, not acme\.io\/v1/)
    convert = () => 5
    assert.match(await messageOf(), /returned 0 objects, expected 1/)
    assert.equal((await ask(api, { path: `${WIDGETS}/f` })).status, 200)
    const before = await done(api, { path: CRD })
    await refused(api, { method: 'POST', path: OTHERS, body: old('never', 10) }, 500, 'InternalError')
    await refused(api, { path: `${WIDGETS}/never` }, 404, 'NotFound')
    assert.equal(at(before, 'spec', 'conversion', 'strategy'), 'Webhook')
  })
})

test('a conversion that was registered outlives restarts that install the definition again', async () => {
  const directory = temporaryFolder('skerry-api-')
  const webhook = { clientConfig: { url: 'https://127.0.0.1:1/convert' }, conversionReviewVersions: ['v1'] }
  {
    await using api = await serveApi(directory, { crds: [WIDGET_CRD] })
    const body = { spec: { conversion: { strategy: 'Webhook', webhook } } }
    await done(api, { method: 'PATCH', path: CRD, headers: MERGE, body })
  }
  await using api = await serveApi(directory, { crds: [WIDGET_CRD] })
  const kept = at(await done(api, { path: CRD }), 'spec', 'conversion')
  assert.deepEqual(kept, { strategy: 'Webhook', webhook })
  await done(api, { method: 'POST', path: WIDGETS, body: widget('a') })
})
