import { readdir } from 'node:fs/promises'
import { hasCode } from '../../../platform/lifecycle/index.ts'
import { pageSize } from './resources.ts'

/** The sizes of huge pages that this machine has, as its cgroups name them (`2MB`); none where it has none. */
export async function hugepageSizes(directory = '/sys/kernel/mm/hugepages'): Promise<readonly string[]> {
  const names = await readdir(directory).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return []
    throw error
  })
  return names.flatMap((name) => {
    const kibibytes = /^hugepages-(\d+)kB$/.exec(name)?.[1]
    return kibibytes === undefined ? [] : [pageSize(BigInt(kibibytes) * 1024n)]
  })
}
