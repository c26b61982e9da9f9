import { runApart } from '../../platform/apart/index.ts'
import { seconds, systemClock } from '../../platform/time/index.ts'
import type { CloudConfig, EdgeConfig, UpConfig } from '../../schemas/config/index.ts'

export interface ConfigOf {
  readonly cloud: CloudConfig
  readonly edge: EdgeConfig
  readonly up: UpConfig
}
export type ConfigKind = keyof ConfigOf

export interface ConfigRequest {
  readonly file: string | undefined
  /** Wins over the file. */
  readonly overrides?: object
}

/** A slow card may take long to load what checks the configuration. */
const DEADLINE = seconds(60)

/**
 * The configuration with its defaults, see `loadConfig`. It is read in a process of its own: the schema library is a tenth of
 * the memory of an idle edge and is needed once.
 */
export async function readConfig<K extends ConfigKind>(kind: K, request: ConfigRequest): Promise<ConfigOf[K]> {
  const file = import.meta.url.endsWith('.ts') ? './parse-config.ts' : './parse-config.js'
  const options = { clock: systemClock, deadline: DEADLINE }
  return checked(await runApart(new URL(file, import.meta.url), 'parseConfig', { kind, ...request }, options))
}

/** The other process has checked it against the schema of its kind. */
function checked<T>(value: unknown): T
function checked(value: unknown): unknown {
  return value
}
