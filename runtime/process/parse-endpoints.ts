import { Value } from 'typebox/value'
import { ConfigError } from '../../platform/lifecycle/index.ts'
import { Endpoints } from '../../schemas/config/index.ts'

export function parseEndpoints(value: unknown, source: string): Endpoints {
  if (Value.Check(Endpoints, value)) return value
  throw new ConfigError('The endpoints are not as skerry writes them', {
    code: 'PROCESS_ENDPOINTS_INVALID',
    fields: { source },
  })
}
