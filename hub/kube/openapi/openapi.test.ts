import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crds } from '../../../schemas/crd/index.ts'
import type { Json, JsonObject } from '../../../schemas/index.ts'
import { BUILTIN_DEFINITIONS } from '../builtin/index.ts'
import { definitionsOfCrd } from '../crd/index.ts'
import { at, isJsonObject } from '../schema/index.ts'
import { type Documentation, parseModel } from './documentation.ts'
import { describedVersions, openApiDocument } from './openapi.ts'
import { openApi2Document } from './v2.ts'
import { LIST_ITEMS, LIST_METADATA, OBJECT_METADATA, ownWords, structureWords } from './words/index.ts'

const definitions = [...BUILTIN_DEFINITIONS, ...crds.flatMap(definitionsOfCrd)]
const versions = describedVersions(definitions)
const served = versions.map(({ group, version }) => `${group}/${version}`)
/** Names itself wherever a text may stand. */
const telling: Documentation = (model) => ({ text: `<${model}>`, field: (name) => `<${model}.${name}>` })

test('every version that is served has a document, and a path that says which', () => {
  assert.deepEqual(new Set(served), new Set(definitions.map(({ group, version }) => `${group}/${version}`)))
  assert.ok(versions.some(({ path }) => path === 'apis/devices.kubeedge.io/v1beta1'))
  assert.ok(versions.some(({ path }) => path === 'api/v1'))
})

test('nothing refers to a schema that is not in its document', () => {
  for (const each of served) {
    const document = documentOf(each)
    const schemas = members(at(document, 'components', 'schemas'))
    const text = JSON.stringify(document)
    for (const [, name = ''] of text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)) {
      assert.ok(Object.hasOwn(schemas, name), `${each}: ${name}`)
    }
    assert.equal(text.includes('x-skerry'), false)
  }
})

test('every kind can be found by its group, version and kind, and patches say that they validate fields', () => {
  for (const { group, version, kind, plural, namespaced, statusSubresource, verbs } of definitions) {
    if (verbs) continue
    const document = documentOf(`${group}/${version}`)
    const schemas = Object.values(members(at(document, 'components', 'schemas')))
    const found = schemas.filter((schema) =>
      hasKind(at(schema, 'x-kubernetes-group-version-kind'), group, version, kind),
    )
    assert.equal(found.length, 1, kind)
    const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
    const path = `${root}/${namespaced ? 'namespaces/{namespace}/' : ''}${plural}/{name}`
    const paths = members(at(document, 'paths'))
    assert.deepEqual(at(paths[path], 'patch', 'x-kubernetes-group-version-kind'), { group, version, kind })
    for (const verb of ['patch', 'put'] as const)
      assert.ok(parameters(at(paths[path], verb)).includes('fieldValidation'))
    const collection = path.replace('/{name}', '')
    assert.ok(parameters(at(paths[collection], 'post')).includes('fieldValidation'))
    assert.equal(Object.hasOwn(paths, `${path}/status`), statusSubresource)
  }
})

test('lists that strategic patches merge say by which key', () => {
  const schemas = at(documentOf('/v1'), 'components', 'schemas')
  const containers = at(schemas, 'io.k8s.api.core.v1.PodSpec', 'properties', 'containers')
  assert.equal(at(containers, 'x-kubernetes-patch-merge-key'), 'name')
  assert.deepEqual(at(containers, 'items'), {
    default: {},
    allOf: [{ $ref: '#/components/schemas/io.k8s.api.core.v1.Container' }],
  })
  assert.equal(at(schemas, 'io.kubeedge.devices.v1beta1.Device'), undefined)
})

const FIELDS: readonly (readonly [string, string, JsonObject])[] = [
  ['core.v1.Container', 'name', { type: 'string', default: '' }],
  ['core.v1.Container', 'imagePullPolicy', { type: 'string', enum: ['Always', 'IfNotPresent', 'Never'] }],
  ['core.v1.ContainerPort', 'protocol', { type: 'string', default: 'TCP', enum: ['SCTP', 'TCP', 'UDP'] }],
  ['core.v1.ContainerPort', 'containerPort', { type: 'integer', format: 'int32', default: 0 }],
  ['core.v1.ConfigMap', 'binaryData', { type: 'object', additionalProperties: { type: 'string', format: 'byte' } }],
  [
    'core.v1.PodSpec',
    'overhead',
    { type: 'object', additionalProperties: ref('io.k8s.apimachinery.pkg.api.resource.Quantity') },
  ],
  ['core.v1.PodSpec', 'affinity', { allOf: [ref('io.k8s.api.core.v1.Affinity')] }],
  ['core.v1.Pod', 'spec', { default: {}, allOf: [ref('io.k8s.api.core.v1.PodSpec')] }],
  ['core.v1.Event', 'eventTime', { allOf: [ref('io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime')] }],
  ['core.v1.ServicePort', 'targetPort', { allOf: [ref('io.k8s.apimachinery.pkg.util.intstr.IntOrString')] }],
  [
    'core.v1.PodSpec',
    'tolerations',
    {
      type: 'array',
      items: { default: {}, allOf: [ref('io.k8s.api.core.v1.Toleration')] },
      'x-kubernetes-list-type': 'atomic',
    },
  ],
]

test('fields of the kinds of Kubernetes are published as it publishes them', () => {
  const schemas = at(documentOf('/v1'), 'components', 'schemas')
  for (const [structure, field, expected] of FIELDS) {
    const { description: _, ...found } = members(at(schemas, `io.k8s.api.${structure}`, 'properties', field))
    assert.deepEqual(found, expected, `${structure}.${field}`)
  }
  assert.deepEqual(at(schemas, 'io.k8s.api.core.v1.Event', 'required'), ['involvedObject', 'metadata'])
  assert.equal(at(schemas, 'io.k8s.api.core.v1.NodeSelector', 'x-kubernetes-map-type'), 'atomic')
})

test('texts stand at structures and fields, with the values that there are; those of a type at the type', () => {
  const schemas = at(documentOf('/v1', telling), 'components', 'schemas')
  const text = (structure: string, ...path: string[]) => at(schemas, structure, ...path, 'description')
  const pod = 'io.k8s.api.core.v1.Pod'
  assert.equal(text(pod), '<V1Pod>')
  assert.equal(text(pod, 'properties', 'spec'), '<V1Pod.spec>')
  assert.equal(text(`${pod}List`, 'properties', 'items'), '<V1PodList.items>')
  const effect = text('io.k8s.api.core.v1.Taint', 'properties', 'effect')
  assert.match(
    String(effect),
    /^<V1Taint\.effect>\n\n[^\n]+:\n - `"NoExecute"`\n - `"NoSchedule"`\n - `"PreferNoSchedule"`$/,
  )
  assert.match(String(text('io.k8s.api.core.v1.ServicePort', 'properties', 'targetPort')), /^The port of the pods/)
  assert.equal(text('io.k8s.apimachinery.pkg.util.intstr.IntOrString'), '<V1ServicePort.targetPort>')
})

test('fields of which the client package says nothing are explained in own words, by the structure that they are of', () => {
  const schemas = at(documentOf('/v1'), 'components', 'schemas')
  const text = (...path: string[]) => at(schemas, ...path, 'description')
  const pod = 'io.k8s.api.core.v1.Pod'
  for (const field of ['metadata', 'spec', 'status']) {
    assert.equal(text(pod, 'properties', field), ownWords()['V1Pod']?.[field])
  }
  assert.notEqual(text(pod, 'properties', 'spec'), text('io.k8s.api.core.v1.Node', 'properties', 'spec'))
  assert.equal(text(pod), undefined)
  const quantity = 'io.k8s.apimachinery.pkg.api.resource.Quantity'
  assert.equal(text(quantity), structureWords()[quantity])
  const devices = at(documentOf('devices.kubeedge.io/v1beta1'), 'components', 'schemas')
  const said = (kind: string, field: string) =>
    at(devices, `io.kubeedge.devices.v1beta1.${kind}`, 'properties', field, 'description')
  assert.equal(said('Device', 'metadata'), OBJECT_METADATA)
  assert.deepEqual([said('DeviceList', 'metadata'), said('DeviceList', 'items')], [LIST_METADATA, LIST_ITEMS])
})

test('a text is read from the comment of its class or field, with its lines', () => {
  const declaration = [
    '/**',
    '* A \\"thing\\" of pods/_*.',
    '*/',
    'export declare class V1AppArmorProfile {',
    '    /**',
    `    * ${Array.from({ length: 33 }, (_, index) => `w${index}`).join(' ')}`,
    '    */',
    "    'type': string;",
    '    /**',
    '    * Not a member.',
    '    */',
    "    '_default'?: string;",
    "    'bare'?: string;",
    '}',
  ].join('\n')
  const { text, field } = parseModel('V1AppArmorProfile', declaration)
  assert.equal(text, 'A "thing" of pods/*.')
  assert.equal(field('default'), 'Not a member.')
  assert.equal(field('bare'), undefined)
  const lines = field('type')?.split('\n') ?? []
  assert.equal(lines.length, 4)
  assert.match(lines[1] ?? '', /^ {2}w13 /)
  assert.equal(parseModel('V1AppArmorProfile', declaration.replace(' w32', '')).field('type')?.includes('\n'), false)
})

test('OpenAPI 2.0 says the same of all kinds at once, as far as it has words for it', () => {
  const document = openApi2Document(versions, telling)
  const schemas = members(document['definitions'])
  for (const [, name = ''] of JSON.stringify(document).matchAll(/"\$ref":"#\/definitions\/([^"]+)"/g)) {
    assert.ok(Object.hasOwn(schemas, name), name)
  }
  assert.deepEqual(at(schemas['io.k8s.api.core.v1.Pod'], 'properties', 'spec'), {
    description: '<V1Pod.spec>',
    $ref: '#/definitions/io.k8s.api.core.v1.PodSpec',
  })
  const { 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps': _, ...others } = schemas
  const plain = JSON.stringify(others)
  for (const word of ['"default":', '"nullable":', '"oneOf":', '"allOf":', 'x-skerry']) {
    assert.equal(plain.includes(word), false, word)
  }
  const patch = at(document, 'paths', '/api/v1/namespaces/{namespace}/pods/{name}', 'patch')
  assert.ok(parameters(patch).includes('fieldValidation'))
  assert.ok(parameters(patch).includes('body'))
})

function ref(name: string): JsonObject {
  return { $ref: `#/components/schemas/${name}` }
}

function documentOf(groupVersion: string, documentation: Documentation = () => undefined): JsonObject {
  const version = versions.find((each) => `${each.group}/${each.version}` === groupVersion)
  assert.ok(version)
  return openApiDocument(version, documentation)
}

function members(value: Json | undefined): JsonObject {
  assert.ok(isJsonObject(value))
  return value
}

function parameters(operation: Json | undefined): readonly unknown[] {
  const list: readonly JsonObject[] = JSON.parse(JSON.stringify(at(operation, 'parameters') ?? []))
  return list.map((each) => each['name'])
}

function hasKind(value: Json | undefined, group: string, version: string, kind: string): boolean {
  const list: readonly JsonObject[] = JSON.parse(JSON.stringify(value ?? []))
  return list.some((each) => each['group'] === group && each['version'] === version && each['kind'] === kind)
}
