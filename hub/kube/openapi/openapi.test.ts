import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crds } from '../../../schemas/crd/index.ts'
import type { Json, JsonObject } from '../../../schemas/index.ts'
import { BUILTIN_DEFINITIONS } from '../builtin/index.ts'
import { definitionsOfCrd } from '../crd/index.ts'
import { at, isJsonObject } from '../schema/index.ts'
import { openApiDocument, openApiIndex } from './openapi.ts'

const definitions = [...BUILTIN_DEFINITIONS, ...crds.flatMap(definitionsOfCrd)]
const served = [...new Set(definitions.map(({ group, version }) => `${group}/${version}`))]

test('every version has a document in the index, under a hash of what it says', () => {
  const paths = members(openApiIndex(definitions)['paths'])
  assert.deepEqual(Object.keys(paths).length, served.length)
  const before = String(at(paths['apis/devices.kubeedge.io/v1beta1'], 'serverRelativeURL'))
  assert.match(before, /^\/openapi\/v3\/apis\/devices\.kubeedge\.io\/v1beta1\?hash=[0-9A-F]{128}$/)
  const changed = definitions.filter(({ kind }) => kind !== 'DeviceStatus')
  const after = members(openApiIndex(changed)['paths'])
  assert.notEqual(at(after['apis/devices.kubeedge.io/v1beta1'], 'serverRelativeURL'), before)
  assert.deepEqual(after['api/v1'], paths['api/v1'])
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
  for (const { group, version, kind, plural, namespaced, statusSubresource } of definitions) {
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
  assert.equal(at(containers, 'items', '$ref'), '#/components/schemas/io.k8s.api.core.v1.Container')
  assert.equal(at(schemas, 'io.kubeedge.devices.v1beta1.Device'), undefined)
})

function documentOf(groupVersion: string): JsonObject {
  const [group = '', version = ''] = groupVersion.split('/')
  const document = openApiDocument(definitions, group, version)
  assert.ok(document)
  return document
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
