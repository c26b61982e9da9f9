import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../schemas/index.ts'
import { BUILTIN_DEFINITIONS } from '../builtin/index.ts'
import { aggregatedDiscovery } from './aggregated.ts'
import { groupList, groupOf, resourceList } from './discovery.ts'
import { withElsewhere } from './elsewhere.ts'
import { readAggregated } from './read-aggregated.ts'

const gadgets = {
  resource: 'gadgets',
  responseKind: { group: 'example.com', version: 'v1', kind: 'Gadget' },
  scope: 'Namespaced',
  singularResource: 'gadget',
  verbs: ['get', 'list'],
  shortNames: ['gd'],
  subresources: [
    { subresource: 'scale', responseKind: { group: 'autoscaling', version: 'v1', kind: 'Scale' }, verbs: ['get'] },
  ],
}

function listOf(group: string, version: string, ...resources: readonly object[]): JsonObject {
  const items = [{ metadata: group === '' ? {} : { name: group }, versions: [{ version, resources }] }]
  return JSON.parse(
    JSON.stringify({ kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {}, items }),
  )
}

function told(list: JsonObject, root: 'api' | 'apis' = 'apis') {
  const read = readAggregated(list, root, 1000)
  assert.ok(read)
  return read
}

test('what another server tells is told again as it was', () => {
  const { definitions, left } = told(listOf('example.com', 'v1', gadgets))
  assert.equal(left, 0)
  const again = JSON.parse(JSON.stringify(aggregatedDiscovery(definitions, 'apis')))
  assert.deepEqual(again.items[0].versions[0].resources, [gadgets])
  const all = aggregatedDiscovery(BUILTIN_DEFINITIONS, 'apis')
  const names = (list: JsonObject) => JSON.stringify(list).match(/"(resource|subresource)":"[a-z]+"/g)
  assert.deepEqual(names(aggregatedDiscovery(told(all).definitions, 'apis'))?.toSorted(), names(all)?.toSorted())
})

test('what is no list of kinds is none, and what in it has no place in a path is left out', () => {
  assert.equal(readAggregated({ kind: 'APIGroupList', apiVersion: 'v1', groups: [] }, 'apis', 9), undefined)
  assert.equal(readAggregated({ kind: 'APIGroupDiscoveryList', apiVersion: 'v1', items: [] }, 'apis', 9), undefined)
  assert.equal(readAggregated({ ...listOf('a', 'v1'), items: 7 }, 'apis', 9), undefined)
  const bad = [
    listOf('../escape', 'v1', gadgets),
    listOf('', 'v1', gadgets),
    listOf('example.com', 'v1/..', gadgets),
    listOf('example.com', 'v1', { ...gadgets, resource: 'a/b' }),
    listOf('example.com', 'v1', { ...gadgets, resource: '__proto__' }),
    listOf('example.com', 'v1', { ...gadgets, responseKind: null }),
    listOf('example.com', 'v1', { ...gadgets, responseKind: { kind: 'x'.repeat(64) } }),
  ]
  for (const list of bad) assert.deepEqual(told(list), { definitions: [], left: 1 })
  const odd = { ...gadgets, verbs: ['get', 7, 'DROP'], shortNames: 'gd', subresources: [null, { subresource: 'a/b' }] }
  const [read] = told(listOf('example.com', 'v1', odd)).definitions
  assert.deepEqual([read?.verbs, read?.shortNames, read?.subresources], [['get'], [], []])
})

test('more kinds than there is room for are counted', () => {
  const many = Array.from({ length: 30 }, (_, at) => ({
    ...gadgets,
    resource: `r${at}`,
    responseKind: { kind: `R${at}` },
  }))
  const read = readAggregated(listOf('example.com', 'v1', ...many), 'apis', 20)
  assert.deepEqual([read?.definitions.length, read?.left], [20, 10])
})

test('what a server has itself wins, and stands first', () => {
  const { definitions: core } = told(
    listOf('', 'v1', { ...gadgets, resource: 'pods', responseKind: { kind: 'Pod' } }),
    'api',
  )
  const { definitions: apps } = told(
    listOf(
      'apps',
      'v9',
      { ...gadgets, resource: 'deployments', responseKind: { kind: 'Deployment' } },
      { ...gadgets, resource: 'rollouts', responseKind: { kind: 'Rollout' } },
    ),
  )
  const { definitions: kinds } = told(
    listOf('apps', 'v1', { ...gadgets, resource: 'others', responseKind: { kind: 'Deployment' } }),
  )
  const { definitions: early } = told(listOf('aaa.org', 'v1', gadgets))
  const all = withElsewhere(BUILTIN_DEFINITIONS, [...core, ...apps, ...kinds, ...early])
  assert.deepEqual(resourceList(all, '', 'v1'), resourceList(BUILTIN_DEFINITIONS, '', 'v1'))
  assert.deepEqual(resourceList(all, 'apps', 'v1'), resourceList(BUILTIN_DEFINITIONS, 'apps', 'v1'))
  const { preferredVersion, versions } = Object(groupOf(all, 'apps'))
  assert.deepEqual([preferredVersion.version, versions.length], ['v1', 2])
  const groups: readonly { readonly name: string }[] = Object(groupList(all)).groups
  assert.equal(groups.at(-1)?.name, 'aaa.org', 'a short name means the first kind that bears it')
  assert.equal(Object(aggregatedDiscovery(all, 'apis')).items.at(-1).metadata.name, 'aaa.org')
})
