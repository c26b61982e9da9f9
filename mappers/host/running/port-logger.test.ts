import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { MapperMessage } from './messages.ts'
import { portLogger } from './port-logger.ts'

it('a line of the log names the mapper once', () => {
  const posted: MapperMessage[] = []
  const log = portLogger((message) => posted.push(message))
  log.child({ line: 'a' }).warn('The connection is lost', { mapper: 'modbus', devices: 1 })
  assert.deepEqual(posted, [
    { type: 'log', level: 'warn', message: 'The connection is lost', fields: { line: 'a', devices: 1 } },
  ])
})
