import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { at, done } from './testing/objects.ts'
import { ask, type Reply } from './testing/request.ts'
import { type ServedApi, serveTestApi } from './testing/serve.ts'

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const OBJECTS = '/apis/rules.example.com/v1/namespaces/default/valves'
const MERGE = { 'content-type': 'application/merge-patch+json' }

const valves = (spec: object, more: object = {}) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'valves.rules.example.com' },
  spec: {
    group: 'rules.example.com',
    scope: 'Namespaced',
    names: { plural: 'valves', kind: 'Valve' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: { spec, status: { type: 'object', properties: { open: { type: 'integer', maximum: 100 } } } },
            ...more,
          },
        },
      },
    ],
  },
})

const SPEC = {
  type: 'object',
  required: ['low'],
  properties: {
    low: { type: 'integer' },
    high: { type: 'integer' },
    serial: {
      type: 'string',
      maxLength: 20,
      'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'serial is set once' }],
    },
    zone: { type: 'string', maxLength: 10, pattern: '^[a-z]*$' },
    ports: {
      type: 'array',
      maxItems: 10,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: {
        type: 'object',
        required: ['name'],
        properties: { name: { type: 'string', maxLength: 10 }, number: { type: 'integer' } },
        'x-kubernetes-validations': [
          {
            rule: '!has(self.number) || self.number > 0',
            fieldPath: '.number',
            reason: 'FieldValueForbidden',
            message: 'no port',
          },
        ],
      },
    },
    seed: { type: 'string', maxLength: 5000 },
  },
  'x-kubernetes-validations': [
    {
      rule: '!has(self.high) || self.low <= self.high',
      messageExpression: '"%d is above %d".format([self.low, self.high])',
    },
    { rule: 'self.low != 13' },
    { rule: '!has(self.zone) || 100 / self.low >= 0' },
  ],
}

const valve = (name: string, spec: object) => ({
  apiVersion: 'rules.example.com/v1',
  kind: 'Valve',
  metadata: { name },
  spec,
})

describe('rules of a custom kind', () => {
  let api: ServedApi
  const cleanups: (() => Promise<void>)[] = []
  before(async () => {
    api = await serveTestApi({ after: (release) => void cleanups.push(release) })
    await done(api, {
      method: 'POST',
      path: CRDS,
      body: valves(SPEC, { 'x-kubernetes-validations': [{ rule: "self.metadata.name != 'root'" }] }),
    })
  })
  after(async () => {
    for (const release of cleanups.reverse()) await release()
  })

  const create = (name: string, spec: object) => ask(api, { method: 'POST', path: OBJECTS, body: valve(name, spec) })
  const change = (name: string, body: object, below = '') =>
    ask(api, { method: 'PATCH', path: `${OBJECTS}/${name}${below}`, headers: MERGE, body })
  const messageOf = ({ json }: Reply) => String(at(json, 'message'))
  const invalid = (name: string, text: string) => `Valve.rules.example.com "${name}" is invalid: ${text}`

  const refused: readonly (readonly [string, object, string])[] = [
    ['above', { low: 5, high: 1 }, 'spec: Invalid value: 5 is above 1'],
    ['unlucky', { low: 13 }, 'spec: Invalid value: failed rule: self.low != 13'],
    ['root', { low: 1 }, "<nil>: Invalid value: failed rule: self.metadata.name != 'root'"],
    ['port', { low: 1, ports: [{ name: 'a', number: 0 }] }, 'spec.ports[0].number: Forbidden: no port'],
    [
      'zero',
      { low: 0, zone: 'a' },
      'spec: Invalid value: "object": division by zero evaluating rule: !has(self.zone) || 100 / self.low >= 0',
    ],
    [
      'blocked',
      { high: 1 },
      '[spec.low: Required value, <nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation]',
    ],
  ]
  for (const [name, spec, text] of refused) {
    it(`refuse ${JSON.stringify(spec)}`, async () => {
      const reply = await create(name, spec)
      assert.equal(reply.status, 422)
      assert.equal(messageOf(reply), invalid(name, text))
    })
  }

  it('see what was before only at a change', async () => {
    assert.equal((await create('once', { low: 1, serial: 'a' })).status, 201)
    const reply = await change('once', { spec: { serial: 'b' } })
    assert.equal(messageOf(reply), invalid('once', 'spec.serial: Invalid value: "b": serial is set once'))
    assert.equal((await change('once', { spec: { serial: null } })).status, 200)
  })

  it('and bounds of the schema let pass what was wrong before and did not change', async () => {
    const crd = `${CRDS}/valves.rules.example.com`
    const loose = valves({ type: 'object', properties: { ...SPEC.properties, zone: { type: 'string' } } })
    const path = (spec: unknown) => ({ spec: { versions: at(spec, 'spec', 'versions') } })
    await done(api, { method: 'PATCH', path: crd, headers: MERGE, body: path(loose) })
    await done(api, { method: 'POST', path: OBJECTS, body: valve('old', { low: 13, zone: 'NORTH' }) })
    await done(api, { method: 'PATCH', path: crd, headers: MERGE, body: path(valves(SPEC)) })
    const kept = await change('old', { metadata: { labels: { a: 'b' } } })
    assert.equal(kept.status, 200, kept.text)
    assert.match(String(kept.headers['warning']), /spec: Invalid value: failed rule: self.low != 13/)
    const touched = await change('old', { spec: { high: 20 } })
    assert.equal(messageOf(touched), invalid('old', 'spec: Invalid value: failed rule: self.low != 13'))
    const mended = await change('old', { spec: { low: 1, zone: 'X' } })
    assert.equal(
      messageOf(mended),
      invalid('old', `spec.zone: Invalid value: "X": spec.zone in body should match '^[a-z]*$'`),
    )
  })

  it('are compiled when the definition comes', async () => {
    const crd = valves({ type: 'object', 'x-kubernetes-validations': [{ rule: 'self.nosuch == 1' }] })
    const reply = await ask(api, {
      method: 'POST',
      path: `${CRDS}?dryRun=All`,
      body: { ...crd, metadata: { name: 'valves.rules.example.com' } },
    })
    assert.equal(reply.status, 422)
    assert.match(
      messageOf(reply),
      /properties\[spec\]\.x-kubernetes-validations\[0\]\.rule: .* compilation failed: ERROR: <input>:1:5: undefined field 'nosuch'/,
    )
  })
})

describe('fields and versions of a custom kind', () => {
  let api: ServedApi
  const cleanups: (() => Promise<void>)[] = []
  before(async () => {
    api = await serveTestApi({ after: (release) => void cleanups.push(release) })
    const crd = valves({ type: 'object', properties: { zone: { type: 'string' }, low: { type: 'integer' } } })
    const [v1] = crd.spec.versions
    const selectableFields = [{ jsonPath: '.spec.zone' }, { jsonPath: '.spec.low' }]
    const versions = [
      { ...v1, selectableFields },
      { ...v1, selectableFields, name: 'v1beta1', storage: false, deprecated: true },
    ]
    await done(api, { method: 'POST', path: CRDS, body: { ...crd, spec: { ...crd.spec, versions } } })
    await done(api, { method: 'POST', path: OBJECTS, body: valve('north', { zone: 'n', low: 1 }) })
    await done(api, { method: 'POST', path: OBJECTS, body: valve('south', { zone: 's', low: 1 }) })
  })
  after(async () => {
    for (const release of cleanups.reverse()) await release()
  })

  it('objects are selected by the fields that the definition names, and by no others', async () => {
    const select = (fields: string) => ask(api, { path: `${OBJECTS}?fieldSelector=${encodeURIComponent(fields)}` })
    assert.deepEqual(names(await select('spec.zone=s')), ['south'])
    assert.deepEqual(names(await select('spec.low=1,spec.zone!=s')), ['north'])
    assert.equal((await select('spec.nosuch=1')).status, 400)
  })

  it('a deprecated version warns', async () => {
    const reply = await ask(api, { path: OBJECTS.replace('/v1/', '/v1beta1/') })
    assert.match(
      String(reply.headers['warning']),
      /rules\.example\.com\/v1beta1 Valve is deprecated; use rules\.example\.com\/v1 Valve/,
    )
    assert.deepEqual(names(reply), ['north', 'south'])
  })

  function names({ json }: Reply): readonly unknown[] {
    const items = at(json, 'items')
    return Array.isArray(items) ? items.map((item) => at(item, 'metadata', 'name')) : []
  }
})
