// What `skerry/mapper` is for a program of its own, such as the tests of a mapper. In a checkout it is the sources.
// Within a running Skerry the mapper host answers the name itself, see mappers/host/running/contract-door.ts.
import { existsSync } from 'node:fs'

const source = new URL('../mappers/contract/index.ts', import.meta.url)
const compiled = new URL('../dist/mappers/contract/index.js', import.meta.url)

export const {
  configSchema,
  DeviceSilentError,
  defineMapper,
  isDeviceSilent,
  noConnection,
  readEach,
  Type,
  writeEach,
} = await import((existsSync(source) ? source : compiled).href)
