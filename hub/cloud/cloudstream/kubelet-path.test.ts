import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readKubeletPath } from './kubelet-path.ts'

const shown = (method: string, path: string) => {
  const read = readKubeletPath(method, path)
  if (!read.ok) return read.status
  const { what, verb, subresources, pod } = read.request
  return [what, verb, subresources.join('|'), pod ? `${pod.namespace}/${pod.name}` : ''].filter(Boolean).join(' ')
}

test('paths of a kubelet need the rights that its own authorizer asks for, and a stream needs more than reading', () => {
  const expected: Readonly<Record<string, string | number>> = {
    'GET /containerLogs/shop/till-0/main': 'logs get proxy shop/till-0',
    'POST /exec/shop/till-0/main': 'exec create proxy shop/till-0',
    'GET /exec/shop/till-0/0a1b-2c/main': 'exec create proxy shop/till-0',
    'POST /attach/shop/till.0/0a1b-2c/main': 'attach create proxy shop/till.0',
    'POST /portForward/shop/till-0': 'portforward create proxy shop/till-0',
    'GET /portForward/shop/till-0/0a1b-2c': 'portforward create proxy shop/till-0',
    'GET /stats/summary': 'node get stats',
    'GET /metrics': 'node get metrics',
    'GET /metrics/resource': 'node get metrics',
    'GET /pods': 'node get pods|proxy',
    'GET /runningpods/': 'node get pods|proxy',
    'GET /healthz': 'node get healthz|proxy',
    'GET /healthz/ping': 'node get healthz|proxy',
  }
  for (const [asked, answer] of Object.entries(expected)) {
    const [method = '', path = ''] = asked.split(' ')
    assert.equal(shown(method, path), answer, asked)
  }
})

test('what no kubelet has there leaves the cloud in no form', () => {
  for (const path of [
    ...['/', '//pods', '/pods/../exec', '/containerLogs/a/b', '/containerLogs/a/b/c/d', '/exec/a/b', '/exec/a//c'],
    ...[
      '/exec/a/../c',
      '/exec/a/%2e%2e/c',
      '/exec/a/b%2Fc/d',
      '/exec/a/./c',
      '/containerLogs/a/b/c%0d%0ax',
      '/run/a/b/c',
    ],
    ...['/debug/pprof', '/logs/', '/configz', '/metrics/other', '/exec/a/b/c/d/e', `/pods/${'x'.repeat(300)}`],
    `/containerLogs/${'x'.repeat(300)}/b/c`,
  ])
    assert.equal(shown('GET', path), 404, path)
  assert.equal(shown('POST', '/containerLogs/a/b/c'), 405)
  assert.equal(shown('DELETE', '/exec/a/b/c'), 405)
  assert.equal(shown('PUT', '/metrics'), 405)
})
