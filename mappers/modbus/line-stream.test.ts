import assert from 'node:assert/strict'
import { Duplex } from 'node:stream'
import { test } from 'node:test'
import { closeStream } from './line-stream.ts'

test('a line that is lost while it is being closed is closed, and that is no failure', async () => {
  const line = new Duplex({ destroy: (error, done) => void setImmediate(done, error) })
  const failures: Error[] = []
  line.on('error', (error) => void failures.push(error))
  line.destroy(new Error('has hung up'))
  await closeStream(line)
  assert.deepEqual([line.closed, failures.length], [true, 1])
  await closeStream(line)
})
