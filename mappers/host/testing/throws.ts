import { defineMapper } from '../../contract/index.ts'
import { anything } from './anything.ts'

/** Throws where nobody can catch it. */
export default defineMapper({
  contract: 1,
  protocol: 'modbus',
  deviceConfig: anything,
  visitorConfig: anything,
  connectionKey: () => 'a',
  connect: async () => {
    queueMicrotask(() => {
      throw new Error('nobody caught this')
    })
    return { [Symbol.asyncDispose]: async () => undefined }
  },
  read: async () => new Map(),
})
