import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kubeletPath } from './kubelet-path.ts'

test('the paths of a kubelet are read, with or without the uid of the pod', () => {
  const of = { namespace: 'shop', pod: 'till' }
  assert.deepEqual(kubeletPath('/containerLogs/shop/till/app'), { what: 'logs', ...of, container: 'app' })
  assert.deepEqual(kubeletPath('/exec/shop/till/app'), { what: 'exec', ...of, container: 'app' })
  assert.deepEqual(kubeletPath('/attach/shop/till/u-1/app'), { what: 'attach', ...of, uid: 'u-1', container: 'app' })
  assert.deepEqual(kubeletPath('/portForward/shop/till'), { what: 'portForward', ...of })
  assert.deepEqual(kubeletPath('/portForward/shop/till/u-1'), { what: 'portForward', ...of, uid: 'u-1' })
})

test('a path that leads elsewhere, or to nothing, is none', () => {
  for (const path of [
    ...[
      '/',
      '/exec',
      '/exec/shop/till',
      '/containerLogs/shop/till',
      '/containerLogs/shop/till/u-1/app',
      '/run/shop/till/app',
    ],
    ...[
      '/containerLogs/shop/../app',
      '/containerLogs/shop/%2e%2e/app',
      '/containerLogs/shop/a%2f..%2fb/app',
      '/exec//till/app',
    ],
    ...[
      '/containerLogs/shop/till/app/',
      '/containerLogs/shop/till/a%00b',
      '/containerLogs/shop/till/%E0%A4%A',
      'exec/shop/till/app',
    ],
  ])
    assert.equal(kubeletPath(path), undefined, path)
})
