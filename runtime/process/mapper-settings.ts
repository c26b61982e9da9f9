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

/** Folders where mappers of a data directory are installed, or looked for beside it. */
export function mapperSettings({ mappers }: EdgeConfig, directory: string) {
  const { isolation, heapMegabytes } = mappers
  const folder = join(directory, 'mappers')
  const use = mappers.use.map((each): MapperUse => (typeof each === 'string' ? { mapper: each } : each))
  return { builtIns: builtInMappers, use, from: [folder, process.cwd()], folder, isolation, heapMegabytes }
}
