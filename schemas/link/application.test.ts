import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isPassedThrough } from './application.ts'

test('what says what an API is is passed through, as KubeEdge passes it', () => {
  const paths = ['/version', '/api', '/api/v1', '/apis', '/apis/apps', '/apis/devices.kubeedge.io/v1beta1']
  const openApi = ['/openapi/v2', '/openapi/v3', '/openapi/v3/api/v1', '/openapi/v3/apis/devices.kubeedge.io/v1beta1']
  for (const path of [...paths, ...openApi]) assert.ok(isPassedThrough(path), path)
})

test('a path that a server may resolve to an object is not passed through', () => {
  const secrets = 'api/v1/namespaces/kubeedge/secrets'
  for (const path of [
    ...[`/openapi/v3/../../${secrets}`, '/openapi/v3/..', '/openapi/v3/./api', '/openapi/v3//api', '/openapi/v3/'],
    ...['/apis/..', '/apis/../v1', '/apis/./v1', '/openapi/v3/%2e%2e/api', `/${secrets}`, '/apis/apps?watch=1'],
  ]) {
    assert.equal(isPassedThrough(path), false, path)
  }
})
