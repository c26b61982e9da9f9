import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError, describeError, UnavailableError } from './errors.ts'

test('an error says its class, code, fields and what the catcher may do', () => {
  const error = new UnavailableError('Not now', { code: 'X_NOT_NOW', fields: { port: 1 }, cause: 'why' })
  assert.deepEqual(
    [error.name, error.code, error.fields, error.retry, error.cause],
    ['UnavailableError', 'X_NOT_NOW', { port: 1 }, 'backoff', 'why'],
  )
  assert.equal(new ConfigError('No', { code: 'X' }).retry, 'never')
  assert.equal('cause' in new ConfigError('No', { code: 'X' }), false)
})

test('describes anything thrown with its causes, each once', () => {
  const inner = new Error('socket closed')
  const outer = new Error('link lost', { cause: new Error('socket closed', { cause: inner }) })
  assert.equal(describeError(outer), 'link lost: socket closed')
  assert.equal(describeError('text'), 'text')
  const ring = new Error('a')
  ring.cause = ring
  assert.equal(describeError(ring), 'a')
})

test('the reason of a library that throws an object of its own is not shown as [object Object]', () => {
  assert.equal(describeError(Object.assign(Object.create(null), { message: 'Port Not Open' })), 'Port Not Open')
  assert.equal(describeError(new Error('lost', { cause: { message: 'Port Not Open' } })), 'lost: Port Not Open')
  assert.equal(describeError({ code: 1 }), 'an error without a message')
  assert.equal(describeError(Object.create(null)), 'an error without a message')
})
