import assert from 'node:assert/strict'
import { Socket } from 'node:net'
import { test } from 'node:test'
import { peerOf } from './peer-of.ts'

test('who has left before it is looked at is not said to show a bad certificate', () => {
  assert.equal(peerOf(new Socket()), 'gone')
})
