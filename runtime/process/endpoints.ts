import { join } from 'node:path'
import { writeFileAtomic } from '../../platform/files/index.ts'
import type { Endpoints } from '../../schemas/config/index.ts'

export const ENDPOINTS_FILE = 'endpoints.json'

/** Writes `DIR/endpoints.json`, whole or not at all. */
export async function writeEndpoints(directory: string, endpoints: Endpoints): Promise<void> {
  await writeFileAtomic(join(directory, ENDPOINTS_FILE), `${JSON.stringify(endpoints, undefined, 2)}\n`, 0o600)
}
