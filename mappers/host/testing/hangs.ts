import { defineMapper } from '../../contract/index.ts'
import { anything } from './anything.ts'

/** Never gives its thread back. */
export default defineMapper({
  contract: 1,
  protocol: 'modbus',
  deviceConfig: anything,
  visitorConfig: anything,
  connectionKey: () => 'a',
  connect: async () => {
    for (;;);
  },
  read: async () => new Map(),
})
