import { defineMapper, noConnection, readEach } from '../../contract/index.ts'
import { anything } from './anything.ts'

/** Reads one number after the other. */
let count = 0
export default defineMapper({
  contract: 1,
  protocol: 'steady',
  deviceConfig: anything,
  visitorConfig: anything,
  connectionKey: () => 'a',
  connect: noConnection,
  read: (_connection, visits, signal) => readEach(visits, signal, () => ++count),
})
