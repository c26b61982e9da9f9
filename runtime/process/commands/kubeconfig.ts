import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { kubeconfig, openLocalPeople, operatorName } from '../../../hub/edge/metaserver/index.ts'
import { readFileIfPresent, writeFileAtomic } from '../../../platform/files/index.ts'
import { ConfigError, RefusedError } from '../../../platform/lifecycle/index.ts'
import { systemClock as clock, systemRandom as random } from '../../../platform/time/index.ts'
import type { CommonOptions } from '../command-options.ts'
import { configFile } from '../config-file.ts'
import { dataDirectory } from '../data-directory.ts'
import { ENDPOINTS_FILE } from '../endpoints.ts'
import { EXIT } from '../exit.ts'
import { metaServerFolder } from '../metaserver-folder.ts'
import { parseEndpoints } from '../parse-endpoints.ts'
import { readConfig } from '../read-config.ts'
import type { Console } from '../terminal.ts'

export interface KubeconfigOptions extends CommonOptions {
  readonly out?: string
  readonly namespace?: string
}

/** `skerry kubeconfig`: kubectl for the Kubernetes API of this node, as its operator, with or without the cloud. */
export async function writeKubeconfig(options: KubeconfigOptions, terminal: Console): Promise<number> {
  const given = dataDirectory(options.data, 'ask')
  // The edge half of a `skerry up` has its own folder in that data directory.
  const directory = existsSync(join(given, 'edge', 'config.yaml')) ? join(given, 'edge') : given
  const file = configFile(options.config, directory)
  if (file === undefined) {
    throw new ConfigError(`no node has joined with ${directory}: name its data directory with --data`, {
      code: 'PROCESS_NO_NODE',
    })
  }
  const { node, metaServer } = await readConfig('edge', { file })
  if (!metaServer.enabled) {
    throw new RefusedError(`MetaServer is off: set metaServer.enabled to true in ${file}`, {
      code: 'PROCESS_METASERVER_OFF',
    })
  }
  const host = metaServer.host.includes(':') ? `[${metaServer.host}]` : metaServer.host
  const server = (await servedAt(directory)) ?? `https://${host}:${metaServer.port}`
  const people = await openLocalPeople({ folder: metaServerFolder(directory), nodeName: node.name, clock, random })
  const user = operatorName(node.name)
  const { namespace = 'default' } = options
  const out = resolve(options.out ?? join(directory, 'metaserver', 'kubeconfig'))
  await writeFileAtomic(out, kubeconfig({ server, ca: people.ca, token: people.token, user, namespace }), 0o600)
  const text = [
    `kubectl --kubeconfig ${out} get pods,devices -A`,
    `asks MetaServer (${server}) as the operator of this node: who has this file may read all that the node holds, also Secrets.`,
  ].join('\n')
  terminal.print(options.output, { file: out, server, user }, text)
  return EXIT.ok
}

/** By the endpoints of the edge that runs, whose port may have been chosen at its start. */
async function servedAt(directory: string): Promise<string | undefined> {
  const file = join(directory, ENDPOINTS_FILE)
  const text = await readFileIfPresent(file)
  return text === undefined ? undefined : parseEndpoints(JSON.parse(text), file).metaserver
}
