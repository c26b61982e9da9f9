import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasLock } from './held-lock.ts'

test('a lock is found by the device and the inode of its file', () => {
  const locks = '1: FLOCK  ADVISORY  WRITE 812 00:17:5 0 EOF\n2: POSIX  ADVISORY  WRITE 9 103:02:77 0 EOF\n'
  assert.ok(hasLock(locks, 0x17n, 5n))
  assert.ok(!hasLock(locks, 0x17n, 6n))
  assert.ok(!hasLock(locks, 0x18n, 5n))
  // Another kind of lock is no lock of a port.
  assert.ok(!hasLock(locks, (0x103n << 8n) | 2n, 77n))
  assert.ok(hasLock('7: FLOCK  ADVISORY  WRITE 1 103:112:77 0 EOF', (0x103n << 8n) | 0x12n | (0x1n << 20n), 77n))
})
