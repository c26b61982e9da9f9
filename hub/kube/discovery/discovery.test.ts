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

test('groups come in the order of their priority, custom ones behind', () => {
  const custom = [
    { ...widget('v1'), group: 'zeta.org' },
    { ...widget('v1beta1'), group: 'alpha.org' },
    { ...widget('v2'), group: 'alpha.org' },
  ]
  const all = [...custom, ...BUILTIN_DEFINITIONS]
  const builtin = ['apps', 'events.k8s.io', 'authentication.k8s.io', 'authorization.k8s.io', 'batch']
  const single = list(groupList(all)['groups']).map((each) => each['name'])
  assert.deepEqual(single.slice(0, 5), builtin)
  // By the names `v1.zeta.org` and `v1beta1.alpha.org`.
  assert.deepEqual(single.slice(-2), ['zeta.org', 'alpha.org'])
  const aggregated = list(aggregatedDiscovery(all, 'apis')['items']).map((each) => at(each, 'metadata', 'name'))
  assert.deepEqual(aggregated.slice(0, 5), builtin)
  assert.deepEqual(aggregated.slice(-2), ['alpha.org', 'zeta.org'])
})

test('a resource says its names and verbs, and its subresources stand beside it', () => {
  const resources = list(resourceList(definitions, 'example.com', 'v2')?.['resources'])
  assert.deepEqual(resources, [
    {
      name: 'widgets',
      singularName: 'widget',
      namespaced: true,
      kind: 'Widget',
      verbs: ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'],
      shortNames: ['wd'],
      categories: ['all'],
      storageVersionHash: 'gIwvi5rymmg=',
    },
    { name: 'widgets/status', singularName: '', namespaced: true, kind: 'Widget', verbs: ['get', 'patch', 'update'] },
  ])
  const core = resourceList(definitions, '', 'v1')
  assert.deepEqual(Object.keys(core ?? {}), ['kind', 'groupVersion', 'resources'])
  const namespaces = list(core?.['resources']).find((each) => each['name'] === 'namespaces')
  assert.deepEqual(namespaces?.['verbs'], ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'])
})

test('a resource tells in which version it is stored, as upstream servers do', () => {
  const hashOf = (group: string, version: string, name: string) =>
    list(resourceList(definitions, group, version)?.['resources']).find((each) => each['name'] === name)?.[
      'storageVersionHash'
    ]
  assert.equal(hashOf('', 'v1', 'pods'), 'xPOwRZ+Yhw8=')
  assert.equal(hashOf('apps', 'v1', 'deployments'), '8aSe+NMegvE=')
  // Events of both groups are stored in their core form.
  assert.equal(hashOf('', 'v1', 'events'), 'r2yiGXH7wu8=')
  assert.equal(hashOf('events.k8s.io', 'v1', 'events'), 'r2yiGXH7wu8=')
  assert.equal(hashOf('example.com', 'v2', 'widgets'), hashOf('example.com', 'v1', 'widgets'))
  assert.equal(hashOf('authentication.k8s.io', 'v1', 'tokenreviews'), undefined)
})

test('aggregated discovery says the same as the single lists', () => {
  const all = aggregatedDiscovery(definitions, 'apis')
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
  const [core] = list(aggregatedDiscovery(definitions, 'api')['items'])
  assert.deepEqual(core?.['metadata'], {})
  const pods = list(list(core?.['versions'])[0]?.['resources']).find((each) => each['resource'] === 'pods')
  assert.deepEqual(pods?.['responseKind'], { group: '', version: '', kind: 'Pod' })
  assert.deepEqual(list(pods?.['subresources']).find((each) => each['subresource'] === 'eviction')?.['responseKind'], {
    group: 'policy',
    version: 'v1',
    kind: 'Eviction',
  })
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
