import { join } from 'node:path'
import { Value } from 'typebox/value'
import { readFileIfPresent, writeFileAtomic } from '../../platform/files/index.ts'
import { ConfigError } from '../../platform/lifecycle/index.ts'
import { Endpoints } from '../../schemas/config/index.ts'

export const ENDPOINTS_FILE = 'endpoints.json'

/** Writes `DIR/endpoints.json`, whole or not at all. */
export async function writeEndpoints(directory: string, endpoints: Endpoints): Promise<void> {
  await writeFileAtomic(join(directory, ENDPOINTS_FILE), `${JSON.stringify(endpoints, undefined, 2)}\n`, 0o600)
}

/** Endpoints of the process that uses this data directory, or undefined where none has written any. */
export async function readEndpoints(directory: string): Promise<Endpoints | undefined> {
  const text = await readFileIfPresent(join(directory, ENDPOINTS_FILE))
  if (text === undefined) return undefined
  return parseEndpoints(JSON.parse(text), directory)
}

export function parseEndpoints(value: unknown, source: string): Endpoints {
  if (Value.Check(Endpoints, value)) return value
  throw new ConfigError('The endpoints are not as skerry writes them', {
    code: 'PROCESS_ENDPOINTS_INVALID',
    fields: { source },
  })
}
