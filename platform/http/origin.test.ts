import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isHostTrusted, isOriginAllowed } from './origin.ts'

test('programs may connect, pages of other sites may not', () => {
  const cases: readonly (readonly [string | undefined, string | undefined, boolean])[] = [
    [undefined, '127.0.0.1:9001', true],
    ['http://127.0.0.1:8080', '127.0.0.1:9001', true],
    ['http://localhost', 'localhost:9001', true],
    ['http://[::1]:3000', '[::1]:9001', true],
    ['http://localhost:8080', '127.0.0.1:9001', false],
    ['https://evil.example', '127.0.0.1:9001', false],
    // A name that its owner has made to point here.
    ['http://evil.example:9001', 'evil.example:9001', false],
    ['http://127.0.0.1.evil.example', '127.0.0.1.evil.example', false],
    ['null', '127.0.0.1:9001', false],
    ['', '127.0.0.1:9001', false],
    ['file://', '127.0.0.1:9001', false],
    ['http://127.0.0.1@evil.example', '127.0.0.1', false],
    ['http://127.0.0.1', undefined, false],
  ]
  for (const [origin, host, isAllowed] of cases) {
    assert.equal(isOriginAllowed(origin, host, []), isAllowed, `${origin} ${host}`)
  }
})

test('listed origins may, in any case and with or without the last slash', () => {
  const allowed = ['https://Panel.example/', 'null']
  assert.ok(isOriginAllowed('https://panel.example', '10.0.0.1', allowed))
  assert.ok(isOriginAllowed('null', '10.0.0.1', allowed))
  for (const origin of ['http://panel.example', 'https://panel.example:444', 'https://x.panel.example']) {
    assert.ok(!isOriginAllowed(origin, '10.0.0.1', allowed), origin)
  }
})

test('a name that somebody else may own is no host of this server', () => {
  for (const host of ['127.0.0.1:80', '[::1]:80', 'localhost', 'LOCALHOST:9061'])
    assert.equal(isHostTrusted(host), true)
  for (const host of [undefined, '', 'evil.example', 'localhost.evil.example', 'a b'])
    assert.equal(isHostTrusted(host), false)
  assert.equal(isHostTrusted('Gateway.local:9061', ['gateway.LOCAL']), true)
})
