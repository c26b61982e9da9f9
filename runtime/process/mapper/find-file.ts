import { existsSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { ConfigError } from '../../../platform/lifecycle/index.ts'

const SUFFIXES = ['js', 'mjs', 'ts', 'mts']

/** `PATH` of a command: a file as it stands, or in a folder the first of `names` with any suffix of a module. */
export function findFile(path: string, names: readonly string[], what: string): string {
  const full = resolve(path)
  if (!existsSync(full)) {
    throw new ConfigError(`there is no ${full}: name the folder of a mapper, or make one with skerry mapper new NAME`, {
      code: 'PROCESS_MAPPER_NOT_FOUND',
    })
  }
  if (!statSync(full).isDirectory()) return full
  for (const name of names) {
    for (const suffix of SUFFIXES) {
      const file = join(full, `${name}.${suffix}`)
      if (existsSync(file)) return file
    }
  }
  throw new ConfigError(
    `${full} has no ${names[0]}.js or .ts, ${what}: name the file, or make a mapper with skerry mapper new NAME`,
    {
      code: 'PROCESS_MAPPER_NOT_FOUND',
    },
  )
}
