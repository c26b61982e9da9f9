import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createCatalog, entryOf } from '../../../mappers/host/index.ts'
import { SkerryError } from '../../../platform/lifecycle/index.ts'
import { seconds, systemClock } from '../../../platform/time/index.ts'
import type { MapperEntry } from '../../../schemas/index.ts'
import { askProcess } from '../ask.ts'
import type { CommonOptions } from '../command-options.ts'
import { configFile } from '../config-file.ts'
import { dataDirectory } from '../data-directory.ts'
import { EXIT } from '../exit.ts'
import { mapperSettings, withMapperPaths } from '../mapper-settings.ts'
import { mapperTable } from '../mapper-table.ts'
import { readConfig } from '../read-config.ts'
import type { Console } from '../terminal.ts'

/** `skerry mapper list`: the mappers of the edge that runs on the data directory, else those that its configuration would give it. */
export async function mapperList(options: CommonOptions, terminal: Console): Promise<number> {
  const directory = edgeDirectory(dataDirectory(options.data, 'ask'))
  const running = await ask(directory)
  const mappers = running ?? (await configured(options.config, directory))
  // Schemas are for programs that ask for a protocol, and would hide everything else here.
  const list = mappers.map(({ deviceSchema: _device, visitorSchema: _visitor, ...rest }) => rest)
  const note = running ? '' : `\n\nNo edge runs in ${directory}: this is what its configuration says.`
  terminal.print(options.output, { running: running !== undefined, mappers: list }, `${mapperTable(mappers)}${note}`)
  return EXIT.ok
}

/** `skerry up` keeps its edge half in a folder of its own. */
function edgeDirectory(directory: string): string {
  const half = join(directory, 'edge')
  return existsSync(join(half, 'config.yaml')) ? half : directory
}

/** Undefined where nothing runs. */
async function ask(directory: string): Promise<readonly MapperEntry[] | undefined> {
  try {
    return answered(await askProcess(directory, 'GET', '/mappers', seconds(5)))
  } catch (error) {
    if (error instanceof SkerryError && error.code === 'PROCESS_NOT_RUNNING') return undefined
    throw error
  }
}

async function configured(given: string | undefined, directory: string): Promise<readonly MapperEntry[]> {
  const file = configFile(given, directory)
  const overrides = file === undefined ? { node: { name: 'none' } } : {}
  const config = withMapperPaths(await readConfig('edge', { file, overrides }), dirname(file ?? directory))
  return (await createCatalog({ ...mapperSettings(config, directory), clock: systemClock })).map(entryOf)
}

/** From the edge of our own program. */
function answered(answer: unknown): readonly MapperEntry[]
function answered(answer: unknown): unknown {
  return answer
}
