import { connectParent } from '../../../platform/apart/index.ts'
import type { MapperStart } from './messages.ts'
import { runMapperApart } from './run-apart.ts'

function startOf(data: unknown): MapperStart
function startOf(data: unknown): unknown {
  return data
}

/** The program of a mapper with isolation `process`. */
const parent = connectParent()
const { promise, resolve } = Promise.withResolvers<MapperStart>()
parent.line('start').on('message', (data) => resolve(startOf(data)))
await runMapperApart(await promise, parent.line('control'), parent.line('bus'))
parent.end()
