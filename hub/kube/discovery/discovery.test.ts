import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../schemas/index.ts'
import { BUILTIN_DEFINITIONS } from '../builtin/index.ts'
import type { ResourceDefinition } from '../resource.ts'
import { at } from '../schema/index.ts'
import { aggregatedDiscovery } from './aggregated.ts'
import { coreVersions, groupList, groupOf, resourceList } from './discovery.ts'
import { compareVersions } from './versions.ts'

const widgets = ['v1alpha1', 'v2', 'v1', 'v2beta1'].map(widget)
const hidden = { ...widget('v9'), served: false }
const definitions = [...BUILTIN_DEFINITIONS, ...widgets, hidden]

test('versions come in the order of their priority', () => {
  const versions = [
    'foo10',
    'v3beta1',
    'v11alpha2',
    'foo1',
    'v10',
    'v2',
    'v10beta3',
    'v11beta2',
    'v1',
    'v12alpha1',
    'v3beta10',
  ]
  assert.deepEqual(versions.sort(compareVersions), [
    'v10',
    'v2',
    'v1',
    'v11beta2',
    'v10beta3',
    'v3beta10',
    'v3beta1',
    'v12alpha1',
    'v11alpha2',
    'foo1',
    'foo10',
  ])
})

test('a group prefers its first version, and one that is not served is not there', () => {
  const group = groupOf(definitions, 'example.com')
  assert.deepEqual(at(group, 'preferredVersion'), { groupVersion: 'example.com/v2', version: 'v2' })
  assert.deepEqual(
    list(group?.['versions']).map((each) => each['version']),
    ['v2', 'v1', 'v2beta1', 'v1alpha1'],
  )
  assert.equal(resourceList(definitions, 'example.com', 'v9'), undefined)
  assert.equal(groupOf(definitions, 'nowhere.com'), undefined)
  assert.equal(
    list(groupList(definitions)['groups']).some((each) => each['name'] === ''),
    false,
  )
  assert.deepEqual(at(coreVersions('h:1'), 'versions'), ['v1'])
})

test('a resource says its names and verbs, its status subresource stands beside it', () => {
  const resources = list(resourceList(definitions, 'example.com', 'v2')?.['resources'])
  const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']
  assert.deepEqual(resources, [
    {
      name: 'widgets',
      singularName: 'widget',
      namespaced: true,
      kind: 'Widget',
      verbs,
      shortNames: ['wd'],
      categories: ['all'],
    },
    { name: 'widgets/status', singularName: '', namespaced: true, kind: 'Widget', verbs: ['get', 'patch', 'update'] },
  ])
  const namespaces = list(resourceList(definitions, '', 'v1')?.['resources']).find(
    (each) => each['name'] === 'namespaces',
  )
  assert.equal(list(namespaces?.['verbs']).length, 7)
})

test('aggregated discovery says the same as the single lists', () => {
  for (const version of ['v2', 'v2beta1'] as const) {
    const all = aggregatedDiscovery(definitions, 'apis', version)
    assert.equal(all['apiVersion'], `apidiscovery.k8s.io/${version}`)
    for (const group of list(all['items'])) {
      const name = String(at(group, 'metadata', 'name'))
      for (const entry of list(group['versions'])) {
        const aggregated = list(entry['resources']).flatMap((each) => [
          each['resource'],
          ...list(each['subresources'] ?? []).map((sub) => `${String(each['resource'])}/${String(sub['subresource'])}`),
        ])
        const single = list(resourceList(definitions, name, String(entry['version']))?.['resources'])
        assert.deepEqual(
          aggregated,
          single.map((each) => each['name']),
        )
      }
    }
  }
  const [core] = list(aggregatedDiscovery(definitions, 'api', 'v2')['items'])
  assert.equal(at(core, 'metadata', 'name'), undefined)
})

function widget(version: string): ResourceDefinition {
  return {
    group: 'example.com',
    version,
    kind: 'Widget',
    listKind: 'WidgetList',
    plural: 'widgets',
    singular: 'widget',
    shortNames: ['wd'],
    categories: ['all'],
    namespaced: true,
    storage: version === 'v1',
    custom: true,
    statusSubresource: true,
    schema: undefined,
    printerColumns: [],
  }
}

function list(value: unknown): readonly JsonObject[] {
  const copy: readonly JsonObject[] = JSON.parse(JSON.stringify(value))
  return copy
}
