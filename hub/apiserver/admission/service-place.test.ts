import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ApiObject } from '../../kube/resource.ts'
import { serviceIn, serviceLocator, urlIn } from './service-place.ts'

const service = (name: string, spec: ApiObject['spec'] = { type: 'ClusterIP', ports: [{ name: 'web', port: 443 }] }) =>
  ({ apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'shop' }, spec }) satisfies ApiObject

const slice = (name: string, of: string, content: Omit<ApiObject, 'apiVersion' | 'kind' | 'metadata'>) =>
  ({
    ...{ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', ...content },
    metadata: { name, namespace: 'shop', labels: { 'kubernetes.io/service-name': of } },
  }) satisfies ApiObject

function locator(objects: Readonly<Record<string, readonly ApiObject[]>>, next = 0) {
  const named = (resource: string) =>
    (objects[resource] ?? []).map((object): [string, ApiObject] => [`shop/${String(object.metadata['name'])}`, object])
  return serviceLocator(
    {
      get: (resource, key) => new Map(named(resource)).get(key),
      list: (resource, prefix = '') => named(resource).filter(([key]) => key.startsWith(prefix)),
    },
    { next: () => next },
  )
}

const HOOK = { namespace: 'shop', name: 'hook', port: 443 }

test('a Service is where its EndpointSlices say, at the port of the same name', () => {
  const slices = [
    slice('other', 'others', { endpoints: [{ addresses: ['10.0.0.9'] }], ports: [{ name: 'web', port: 1 }] }),
    slice('a', 'hook', {
      endpoints: [{ addresses: ['10.0.0.1'] }, { addresses: ['10.0.0.2'], conditions: { ready: false } }],
      ports: [
        { name: 'admin', port: 9000 },
        { name: 'web', port: 8443 },
      ],
    }),
    slice('b', 'hook', { endpoints: [{ addresses: ['10.0.0.3'] }], ports: [{ name: 'web', port: 8444 }] }),
  ]
  const objects = { '/services': [service('hook')], 'discovery.k8s.io/endpointslices': slices }
  assert.deepEqual(locator(objects)(HOOK), { host: '10.0.0.1', port: 8443 })
  assert.deepEqual(locator(objects, 0.99)(HOOK), { host: '10.0.0.3', port: 8444 })
})

test('without slices, Endpoints of the name count', () => {
  const subsets = [
    { notReadyAddresses: [{ ip: '10.0.0.4' }], ports: [{ name: 'web', port: 1 }] },
    { addresses: [{ ip: '10.0.0.5' }], ports: [{ name: 'web', port: 8443 }] },
  ]
  const metadata = { name: 'hook', namespace: 'shop' }
  const endpoints: ApiObject = { apiVersion: 'v1', kind: 'Endpoints', metadata, subsets }
  const found = locator({ '/services': [service('hook')], '/endpoints': [endpoints] })(HOOK)
  assert.deepEqual(found, { host: '10.0.0.5', port: 8443 })
})

test('where nobody can be reached, it is told why', () => {
  const why = (services: readonly ApiObject[], port = 443) => {
    try {
      return locator({ '/services': services })({ ...HOOK, port })
    } catch (error) {
      return error instanceof Error ? error.message : error
    }
  }
  assert.equal(why([]), 'service "hook" not found')
  assert.equal(why([service('hook', { type: 'ExternalName' })]), 'unsupported service type "ExternalName"')
  assert.equal(why([service('hook')], 444), 'no service port 444 found for service "hook"')
  assert.equal(why([service('hook')]), 'no endpoints available for service "hook"')
})

test('the URL of a webhook is the one given, or the name of its Service', () => {
  assert.equal(urlIn({ url: 'https://acme.example/x' }), 'https://acme.example/x')
  const client = { service: { namespace: 'shop', name: 'hook' } }
  assert.equal(urlIn(client), 'https://hook.shop.svc:443/')
  assert.equal(urlIn({ service: { ...client.service, path: 'check', port: 8443 } }), 'https://hook.shop.svc:8443/check')
  assert.deepEqual([serviceIn(client), serviceIn({ url: 'https://acme.example' })], [HOOK, undefined])
})
