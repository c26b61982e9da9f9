import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json } from '../device/index.ts'
import {
  cloudAnswerContent,
  cloudCallContent,
  parseCloudAnswer,
  parseCloudCall,
  parseServiceAnswer,
  parseServiceRequest,
  serviceAnswerContent,
  serviceRequestContent,
} from './service-call.ts'

const body = 'AP+AQQ=='
const headers = { Accept: ['*/*'], 'X-Two': ['a', 'b'] }

test('a call of a service and its answer are written as Go writes them, and read back byte for byte', () => {
  const request = { method: 'POST', headers, body }
  const text = serviceRequestContent(request)
  assert.deepEqual(text, { header: headers, body, method: 'POST', url: '' })
  assert.deepEqual(parseServiceRequest(text), request)
  assert.deepEqual(parseServiceRequest(serviceRequestContent({ ...request, deadlineMs: 5 })), {
    ...request,
    deadlineMs: 5,
  })
  const answer = { status: 201, headers, body }
  assert.deepEqual(parseServiceAnswer(serviceAnswerContent(answer)), answer)
})

test('what Go leaves as null is empty', () => {
  const empty = { method: 'GET', headers: {}, body: '' }
  assert.deepEqual(parseServiceRequest({ header: null, body: null, method: 'GET', url: '' }), empty)
  assert.deepEqual(serviceRequestContent(empty), { header: {}, body: null, method: 'GET', url: '' })
  const answer = parseServiceAnswer({ header: null, status_code: 204, body: null })
  assert.deepEqual(answer, { status: 204, headers: {}, body: '' })
})

test('a call of the cloud and its answer are read back as they were', () => {
  const call = { uid: 'u', method: 'PUT', headers, body, wait: true, deadlineMs: 900 }
  assert.deepEqual(parseCloudCall(cloudCallContent(call)), call)
  const stored = { method: 'POST', headers: {}, body, wait: false }
  assert.deepEqual(parseCloudCall(cloudCallContent(stored)), stored)
  const answer = { status: 503, headers: { 'x-skerry-error': ['A_CODE'] }, body }
  assert.deepEqual(parseCloudAnswer(cloudAnswerContent(answer)), answer)
  assert.equal(parseCloudAnswer('OK'), undefined)
})

test('what is of another form is told from one', () => {
  const good = { header: {}, body: '', method: 'GET', url: '' }
  const wrong: Json[] = [
    null,
    'x',
    [],
    { ...good, header: [] },
    { ...good, header: { a: 'x' } },
    { ...good, body: '!' },
  ]
  for (const each of [...wrong, { ...good, method: 1 }, { ...good, header: { a: [1] } }]) {
    assert.equal(parseServiceRequest(each), undefined)
  }
  for (const status of [99, 600, 200.5, '200', null]) {
    assert.equal(parseServiceAnswer({ header: {}, status_code: status, body: null }), undefined)
  }
  assert.equal(parseCloudCall({ skerry: { method: 'GET', headers: {}, body: '' } }), undefined)
})
