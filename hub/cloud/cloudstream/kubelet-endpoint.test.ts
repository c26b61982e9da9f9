import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../schemas/index.ts'
import type { AnyObject } from '../kubernetes/index.ts'
import { mergePatch } from '../testing/fake-kubernetes.ts'
import {
  ownAddresses,
  patchToPlace,
  patchToRemove,
  placedIn,
  reportBeside,
  withoutEndpoint,
} from './kubelet-endpoint.ts'

const own = [
  { type: 'InternalIP', address: '192.0.2.7' },
  { type: 'Hostname', address: 'gw' },
]
const shown = [{ type: 'InternalIP', address: '10.1.1.1' }]
const endpoint = { address: '10.1.1.1', port: 4711, replica: 'a' }
const plain: AnyObject = {
  ...{ apiVersion: 'v1', kind: 'Node', metadata: { name: 'gw', resourceVersion: '7', annotations: { other: 'x' } } },
  status: { addresses: own, daemonEndpoints: { kubeletEndpoint: { Port: 10_350 } }, phase: 'x' },
}

/** As an API server applies it. */
function patched(node: AnyObject, patch: JsonObject | undefined): AnyObject {
  assert.ok(patch)
  const next = mergePatch(node, patch)
  return { ...node, ...Object(next) }
}

test('an endpoint is put in place once, and taken away it leaves the Node as it was', () => {
  const placed = patched(plain, patchToPlace(plain, endpoint))
  assert.deepEqual(placed.status?.['addresses'], shown)
  assert.deepEqual(placed.status?.['daemonEndpoints'], { kubeletEndpoint: { Port: 4711 } })
  assert.equal(patchToPlace(placed, endpoint), undefined)
  assert.deepEqual(ownAddresses(placed), own)
  assert.deepEqual(withoutEndpoint(placed).status, plain.status)
  assert.deepEqual(patched(placed, patchToRemove(placed)), plain)
  assert.equal(patchToRemove(plain), undefined)
})

test('another process takes an endpoint over, and what the node says of itself stays', () => {
  const first = patched(plain, patchToPlace(plain, endpoint))
  const second = patched(first, patchToPlace(first, { address: '10.2.2.2', port: 815, replica: 'b' }))
  assert.deepEqual(second.status?.['addresses'], [{ type: 'InternalIP', address: '10.2.2.2' }])
  assert.deepEqual(patched(second, patchToRemove(second)), plain)
})

test('where packet filters lead to the tunnel, only the port is changed', () => {
  const placed = patched(plain, patchToPlace(plain, { port: 10_351, replica: 'a' }))
  assert.deepEqual(placed.status?.['addresses'], own)
  assert.deepEqual(placed.status?.['daemonEndpoints'], { kubeletEndpoint: { Port: 10_351 } })
  assert.deepEqual(patched(placed, patchToRemove(placed)), plain)
})

test('a report of the node leaves the endpoint, and what is new in it comes back when that is taken away', () => {
  const placed = patched(plain, patchToPlace(plain, endpoint))
  const moved = [{ type: 'InternalIP', address: '192.0.2.99' }]
  const report = {
    addresses: [{ $patch: 'replace' }, ...moved],
    '$setElementOrder/addresses': [{ type: 'InternalIP' }],
  }
  const body = reportBeside(placed, { ...report, daemonEndpoints: { kubeletEndpoint: { Port: 10_250 } }, phase: 'y' })
  assert.deepEqual(body['status'], { phase: 'y', addresses: [{ $patch: 'replace' }, ...shown] })
  const { metadata } = body
  const after = patched(placed, { metadata: metadata ?? {} })
  assert.deepEqual(ownAddresses(after), moved)
  assert.equal(placedIn(after)?.own.port, 10_250)
  assert.deepEqual(reportBeside(placed, { addresses: own }), {
    status: { addresses: [{ $patch: 'replace' }, ...shown] },
  })
  assert.deepEqual(reportBeside(placed, { phase: 'z' }), { status: { phase: 'z' } })
  assert.deepEqual(reportBeside(plain, report), { status: report })
})

test('a report that was written over an endpoint is put right', () => {
  const placed = patched(plain, patchToPlace(plain, endpoint))
  const moved = [{ type: 'InternalIP', address: '192.0.2.99' }]
  const over = patched(placed, { status: { addresses: moved, daemonEndpoints: { kubeletEndpoint: { Port: 1 } } } })
  const again = patched(over, patchToPlace(over, endpoint))
  assert.deepEqual([again.status?.['addresses'], ownAddresses(again)], [shown, moved])
  assert.equal(placedIn(again)?.own.port, 1)
})

test('words of a node that are no addresses break no mark', () => {
  const wild = [
    { type: 'InternalIP', address: '1.2.3.4 Hostname=root' },
    { type: 7 },
    'x',
    { type: 'A', address: 'b=c' },
  ]
  const node: AnyObject = { ...plain, status: { addresses: wild } }
  const placed = patched(node, patchToPlace(node, endpoint))
  assert.deepEqual(ownAddresses(placed), [])
  const damaged = { ...plain, metadata: { name: 'gw', annotations: { 'skerry.dev/kubelet-endpoint': '{' } } }
  assert.equal(placedIn(damaged), undefined)
})
