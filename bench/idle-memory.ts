import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packageRoot } from '../runtime/process/version.ts'
import { writeEdgeFolder } from './edge-folder.ts'
import { measureEdge } from './edge-process.ts'
import { row } from './print.ts'
import { modelOf } from './whole-way.ts'

const PROTOCOLS = ['modbus', 'opcua', 'bluetooth-serial', 'mqtt']

/** What protocols cost that no device uses: nothing of them is loaded, also where they are named. */
export async function measureIdleMemory(): Promise<void> {
  const bare = await residentOf({})
  const use = PROTOCOLS.map((name) => join(packageRoot, 'mappers', name, 'index.ts'))
  const named = await residentOf({ mappers: { use } })
  row('idle edge without devices', `${bare.toFixed(0)} MB resident`)
  row(
    'the same with four mappers in its configuration',
    `${named.toFixed(0)} MB resident`,
    `${(named - bare).toFixed(0)} MB more`,
  )
}

async function residentOf(config: object): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'skerry-bench-'))
  try {
    await writeEdgeFolder(folder, { model: modelOf(), devices: [], hasTwins: false, config })
    // The first start fills the compile cache.
    await measureEdge(folder, 0)
    return (await measureEdge(folder, 1000)).residentMb
  } finally {
    await rm(folder, { recursive: true })
  }
}
