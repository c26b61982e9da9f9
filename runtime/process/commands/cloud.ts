import { composeCloud } from '../cloud.ts'
import type { CommonOptions } from '../command-options.ts'
import { configFile } from '../config-file.ts'
import { dataDirectory } from '../data-directory.ts'
import { hostProcess } from '../host.ts'
import { readConfig } from '../read-config.ts'
import type { Console } from '../terminal.ts'

export interface CloudOptions extends CommonOptions {
  readonly kubeconfig?: string
}

/** `skerry cloud`: with a kubeconfig it uses that cluster, else the embedded API. */
export async function cloud(options: CloudOptions, terminal: Console): Promise<number> {
  const directory = dataDirectory(options.data, 'run')
  const config = await readConfig('cloud', {
    file: configFile(options.config, directory),
    overrides: { kubernetes: { kubeconfig: options.kubeconfig } },
  })
  return hostProcess({
    name: 'cloud',
    directory,
    log: config.log,
    metrics: config.metrics,
    compose: (ground) => composeCloud(config, ground),
    terminal,
  })
}
