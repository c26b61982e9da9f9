import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineMapper, readEach } from '../../../contract/index.ts'
import { anything } from '../anything.ts'

/** A mapper that commits a crime in its first read, and is honest when it is started again. */
export function criminal(crime: () => unknown) {
  return defineMapper({
    contract: 1,
    protocol: 'crime',
    deviceConfig: anything,
    visitorConfig: anything,
    connectionKey: () => 'a',
    connect: async (_device, { folder }) => ({
      record: join(folder, 'record'),
      [Symbol.asyncDispose]: async () => undefined,
    }),
    read: async ({ record }, visits, signal) => {
      if (!existsSync(record)) {
        writeFileSync(record, 'once')
        await crime()
      }
      return readEach(visits, signal, () => 1)
    },
  })
}
