import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FRAME_TYPES } from '../frame.ts'
import { canonicalHeader, connectType, decodeConnect, encodeConnect } from './connect-request.ts'

/** As `json.Marshal` of KubeEdge's EdgedExecConnection writes it. */
const EXEC =
  '{"MessID":7,"url":{"Scheme":"http","Opaque":"","User":null,"Host":"127.0.0.1:10350","Path":"/exec/default/app/main",' +
  '"RawPath":"","OmitHost":false,"ForceQuery":false,"RawQuery":"command=echo\\u0026command=a%3Fb\\u0026output=1","Fragment":"","RawFragment":""},' +
  '"header":{"Connection":["Upgrade"],"Upgrade":["SPDY/3.1"],"X-Stream-Protocol-Version":["v4.channel.k8s.io","v3.channel.k8s.io"]},"method":"POST"}'

const REQUEST = {
  method: 'POST',
  path: '/exec/default/app/main?command=echo&command=a%3Fb&output=1',
  headers: {
    Upgrade: ['SPDY/3.1'],
    Connection: ['Upgrade'],
    'X-Stream-Protocol-Version': ['v4.channel.k8s.io', 'v3.channel.k8s.io'],
  },
}

test('the data of a connect frame is what Go makes of the request', () => {
  assert.equal(encodeConnect(7, FRAME_TYPES.exec, REQUEST), EXEC)
  const logs: unknown = JSON.parse(
    encodeConnect(8, FRAME_TYPES.logs, { ...REQUEST, method: 'GET', path: '/containerLogs/a/b/c' }),
  )
  assert.ok(typeof logs === 'object' && logs !== null)
  assert.deepEqual(Object.keys(logs), ['MessID', 'url', 'header'])
})

test('a connect frame of Go is the request that it was made of', () => {
  assert.deepEqual(decodeConnect(Buffer.from(EXEC)), REQUEST)
})

test('any path comes back as it was, whatever of it is escaped', () => {
  const segment = fc.string({ minLength: 1 }).map((each) => encodeURIComponent(each.toWellFormed()))
  const path = fc.array(segment, { minLength: 1 }).map((all) => `/${all.join('/')}`)
  const query = fc.constantFrom('', '?', '?follow=true&tailLines=1', '?a=b?c')
  fc.assert(
    fc.property(path, query, (before, after) => {
      const encoded = encodeConnect(1, 0, { method: 'GET', path: before + after, headers: {} })
      assert.equal(decodeConnect(Buffer.from(encoded))?.path, before + (after === '?' ? '' : after))
    }),
  )
})

test('what would break out of a request is none: blanks, line breaks, strange names and methods, too much of it', () => {
  const base = { url: { Path: '/a' }, header: {} }
  assert.ok(decodeConnect(Buffer.from(JSON.stringify(base))))
  const bad: readonly unknown[] = [
    { ...base, url: { Path: 'a' } },
    { ...base, url: { Path: '/a', RawPath: '/a b' } },
    { ...base, url: { Path: '/a', RawQuery: 'x HTTP/1.1\r\nX: y' } },
    { ...base, url: { Path: `/${'a'.repeat(20_000)}` } },
    { ...base, url: 'http://127.0.0.1/a' },
    { ...base, method: 'CONNECT' },
    { ...base, header: { 'X: y\r\nZ': ['1'] } },
    { ...base, header: { X: ['1\r\nY: 2'] } },
    { ...base, header: { X: '1' } },
    { ...base, header: { X: [1] } },
    { ...base, header: Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`X-${at}`, ['']])) },
    [],
    null,
    7,
  ]
  for (const each of bad)
    assert.equal(decodeConnect(Buffer.from(JSON.stringify(each))), undefined, JSON.stringify(each).slice(0, 80))
  assert.equal(decodeConnect(Buffer.from('{')), undefined)
})

test('no bytes at all make it fail otherwise', () => {
  fc.assert(fc.property(fc.uint8Array(), (bytes) => void decodeConnect(Buffer.from(bytes))))
  fc.assert(fc.property(fc.json(), (text) => void decodeConnect(Buffer.from(`{"url":${text},"header":${text}}`))))
})

test('the path says the type, and what KubeEdge does not carry has none', () => {
  assert.equal(connectType('/containerLogs/a/b/c?follow=true'), FRAME_TYPES.logs)
  assert.equal(connectType('/exec/a/b/c'), FRAME_TYPES.exec)
  assert.equal(connectType('/attach/a/b/c'), FRAME_TYPES.attach)
  for (const path of ['/stats', '/stats/summary', '/metrics', '/metrics/cadvisor?x'])
    assert.equal(connectType(path), FRAME_TYPES.metrics)
  for (const path of ['/portForward/a/b', '/pods', '/', '', '/statsx']) assert.equal(connectType(path), undefined)
})

test('names of headers are written as Go writes them', () => {
  assert.equal(canonicalHeader('x-stream-protocol-version'), 'X-Stream-Protocol-Version')
  assert.equal(canonicalHeader('SEC-WEBSOCKET-KEY'), 'Sec-Websocket-Key')
})
