import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { builtInMappers, type MapperUse } from '../../mappers/host/index.ts'
import type { EdgeConfig, MappersConfig } from '../../schemas/config/index.ts'

/** The configuration with paths of mappers from the folder of its file made absolute. */
export function withMapperPaths<C extends { readonly mappers: Partial<Pick<MappersConfig, 'use'>> }>(
  config: C,
  folder: string,
): C {
  const { use } = config.mappers
  if (use === undefined) return config
  const absolute = (mapper: string) => (mapper.startsWith('.') ? resolve(folder, mapper) : mapper)
  const list = use.map((each) =>
    typeof each === 'string' ? absolute(each) : { ...each, mapper: absolute(each.mapper) },
  )
  return { ...config, mappers: { ...config.mappers, use: list } }
}

/** A mapper as a command line names it: what is there is a path, anything else a package. */
export function namedMapper(given: string): string {
  const path = resolve(given)
  return given.startsWith('.') || existsSync(path) ? path : given
}

/** What `skerry up` writes to the configuration of its edge: its own section, or what stands there, and one mapper more each. */
export function mapperEdits(section: MappersConfig | undefined, standing: readonly unknown[], more: readonly string[]) {
  const use: readonly unknown[] = section?.use ?? standing
  const used = use.map((each) => (typeof each === 'object' && each !== null ? Reflect.get(each, 'mapper') : each))
  const added = more.filter((mapper, index) => !used.includes(mapper) && more.indexOf(mapper) === index)
  if (section) return { mappers: { ...section, use: [...use, ...added] } }
  return added.length === 0 ? {} : { mappers: { use: [...use, ...added] } }
}

/** Folders where mappers of a data directory are installed, or looked for beside it. */
export function mapperSettings({ mappers }: EdgeConfig, directory: string) {
  const { isolation, heapMegabytes } = mappers
  const folder = join(directory, 'mappers')
  const use = mappers.use.map((each): MapperUse => (typeof each === 'string' ? { mapper: each } : each))
  return { builtIns: builtInMappers, use, from: [folder, process.cwd()], folder, isolation, heapMegabytes }
}
