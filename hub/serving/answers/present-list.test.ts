import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parse } from 'yaml'
import { at } from '../../apiserver/testing/objects.ts'
import { BUILTIN_DEFINITIONS } from '../../kube/builtin/index.ts'
import type { ApiObject } from '../../kube/resource.ts'
import type { Form } from './negotiate.ts'
import { presentList } from './present-list.ts'
import { yamlText } from './yaml-text.ts'

const definition = BUILTIN_DEFINITIONS.find(({ kind }) => kind === 'ConfigMap')
const METADATA = { resourceVersion: '7', continue: 'there', remainingItemCount: 2 }

function maps(count: number, size = 1): readonly ApiObject[] {
  return Array.from({ length: count }, (_, index) => ({
    ...{
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace: 'default', name: `map-${index}`, resourceVersion: '7' },
    },
    data: { text: 'ü'.repeat(size), lines: 'one\n  two\n' },
  }))
}

function present(form: Omit<Form, 'apiVersion'>, objects: readonly ApiObject[]) {
  assert.ok(definition)
  const apiVersion = form.as === 'object' ? 'v1' : 'meta.k8s.io/v1'
  return presentList({ form: { ...form, apiVersion }, definition, include: 'Metadata', now: 0 }, objects, METADATA)
}

describe('a list', () => {
  it('says the same in JSON, in YAML and to who is in the same process', () => {
    for (const objects of [[], maps(1), maps(300, 500)]) {
      const json = present({ encoding: 'json', as: 'object' }, objects)
      const items = objects.map(({ apiVersion: _version, kind: _kind, ...others }) => others)
      const expected = { kind: 'ConfigMapList', apiVersion: 'v1', metadata: METADATA, items }
      assert.deepEqual(JSON.parse(json.text), expected)
      assert.deepEqual(json.object, expected)
      const yaml = present({ encoding: 'yaml', as: 'object' }, objects)
      assert.equal(yaml.text, yamlText(expected))
      const { parts } = json
      assert.ok(parts)
      assert.equal([...{ [Symbol.iterator]: () => parts(true) }].join(''), JSON.stringify(expected, undefined, 2))
      assert.deepEqual([yaml.type, yaml.object, parse(yaml.text)], ['application/yaml', undefined, expected])
    }
  })

  it('says the kind of its items once where it is one of Kubernetes’ own, in whatever order an object has it', () => {
    assert.ok(definition)
    const metadata = { name: 'a', resourceVersion: '7' }
    const objects = [
      { apiVersion: 'v1', kind: 'ConfigMap', metadata },
      { kind: 'ConfigMap', apiVersion: 'v1', metadata },
      { metadata, kind: 'ConfigMap', apiVersion: 'v1' },
    ]
    const form = { encoding: 'json', as: 'object', apiVersion: 'v1' } as const
    const items = (custom: boolean): unknown => {
      const view = { form, definition: { ...definition, custom }, include: 'Metadata', now: 0 } as const
      return at(JSON.parse(presentList(view, objects, METADATA).text), 'items')
    }
    assert.deepEqual(items(false), [{ metadata }, { metadata }, { metadata }])
    assert.deepEqual(items(true), objects)
  })

  it('as a Table has its columns once and a row for each object', () => {
    for (const encoding of ['json', 'yaml'] as const) {
      const { text } = present({ encoding, as: 'table' }, maps(3))
      const table: unknown = encoding === 'json' ? JSON.parse(text) : parse(text)
      assert.deepEqual(
        [at(table, 'kind'), at(table, 'apiVersion'), at(table, 'metadata')],
        ['Table', 'meta.k8s.io/v1', METADATA],
      )
      assert.equal(at(table, 'columnDefinitions', 0, 'name'), 'Name')
      assert.deepEqual([at(table, 'rows', 2, 'cells', 0), at(table, 'rows', 3)], ['map-2', undefined])
      assert.equal(at(table, 'rows', 2, 'object', 'metadata', 'name'), 'map-2')
    }
  })

  it('as metadata holds nothing else', () => {
    const list: unknown = JSON.parse(present({ encoding: 'json', as: 'metadata' }, maps(2)).text)
    assert.deepEqual([at(list, 'kind'), at(list, 'apiVersion')], ['PartialObjectMetadataList', 'meta.k8s.io/v1'])
    assert.deepEqual([at(list, 'items', 1, 'kind'), at(list, 'items', 1, 'data')], ['PartialObjectMetadata', undefined])
  })

  it('is made in parts of which none holds much more than one object', () => {
    const { parts, text } = present({ encoding: 'json', as: 'object' }, maps(300, 2_000))
    assert.ok(parts)
    const made = [...{ [Symbol.iterator]: parts }]
    assert.equal(made.join(''), text)
    assert.ok(made.length >= 8, `${made.length} parts`)
    for (const part of made) assert.ok(part.length < 68_000, `${part.length} characters`)
  })
})
