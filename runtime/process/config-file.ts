import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** `--config FILE`, else `DIR/config.yaml` where somebody (`skerry join`, `skerry up`) has written one. */
export function configFile(given: string | undefined, directory: string): string | undefined {
  if (given !== undefined) return given
  const own = join(directory, 'config.yaml')
  return existsSync(own) ? own : undefined
}
