import { dirname } from 'node:path'
import { ConfigError } from '../../../platform/lifecycle/index.ts'
import type { CommonOptions } from '../command-options.ts'
import { configFile } from '../config-file.ts'
import { dataDirectory } from '../data-directory.ts'
import { composeEdge } from '../edge.ts'
import { hostProcess } from '../host.ts'
import { withMapperPaths } from '../mapper-settings.ts'
import { readConfig } from '../read-config.ts'
import type { Console } from '../terminal.ts'

/** `skerry edge`: the edge half of a node that `skerry join` has prepared. */
export async function edge(options: CommonOptions, terminal: Console): Promise<number> {
  const directory = dataDirectory(options.data, 'run')
  const file = configFile(options.config, directory)
  if (file === undefined) {
    throw new ConfigError(`this node has not joined: run skerry join --data ${directory}, or name a --config`, {
      code: 'PROCESS_NOT_JOINED',
    })
  }
  const config = withMapperPaths(await readConfig('edge', { file }), dirname(file))
  return hostProcess({
    name: 'edge',
    directory,
    log: config.log,
    metrics: config.metrics,
    compose: (ground) => composeEdge(config, ground),
    terminal,
  })
}
