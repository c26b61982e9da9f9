import { join } from 'node:path'
import { Value } from 'typebox/value'
import { writeFileAtomic } from '../../platform/files/index.ts'
import { ConfigError } from '../../platform/lifecycle/index.ts'
import { Endpoints } from '../../schemas/config/index.ts'

export const ENDPOINTS_FILE = 'endpoints.json'

/** Writes `DIR/endpoints.json`, whole or not at all. */
export async function writeEndpoints(directory: string, endpoints: Endpoints): Promise<void> {
  await writeFileAtomic(join(directory, ENDPOINTS_FILE), `${JSON.stringify(endpoints, undefined, 2)}\n`, 0o600)
}

export function parseEndpoints(value: unknown, source: string): Endpoints {
  if (Value.Check(Endpoints, value)) return value
  throw new ConfigError('The endpoints are not as skerry writes them', {
    code: 'PROCESS_ENDPOINTS_INVALID',
    fields: { source },
  })
}
