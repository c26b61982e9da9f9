// What `skerry/mapper` is for a program of its own, such as the tests of a mapper. In a checkout it is the sources.
// Within a running Skerry the mapper host answers the name itself, see mappers/host/running/contract-door.ts.
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const source = fileURLToPath(new URL('../mappers/contract/index.ts', import.meta.url))
const compiled = fileURLToPath(new URL('../dist/mappers/contract/index.js', import.meta.url))

// No await here: a mapper may also `require` this.
export const {
  ConnectionLostError,
  configSchema,
  DeviceSilentError,
  defineMapper,
  isConnectionLost,
  isDeviceSilent,
  noConnection,
  readEach,
  Type,
  writeEach,
} = createRequire(import.meta.url)(existsSync(source) ? source : compiled)
