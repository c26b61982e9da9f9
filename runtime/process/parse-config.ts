import { loadConfig } from '../../platform/config/index.ts'
import { CloudConfig, EdgeConfig, UpConfig } from '../../schemas/config/index.ts'
import type { ConfigKind, ConfigRequest } from './read-config.ts'

const SCHEMAS = { cloud: CloudConfig, edge: EdgeConfig, up: UpConfig } as const

/** Called in a process of its own by `readConfig`. */
export function parseConfig({ kind, ...request }: ConfigRequest & { readonly kind: ConfigKind }): Promise<unknown> {
  return loadConfig({ schema: SCHEMAS[kind], ...request })
}
