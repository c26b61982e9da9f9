import { join as joinPath } from 'node:path'
import { identityFiles, joinNode, parseJoinToken } from '../../../hub/edge/join/index.ts'
import { ConfigError } from '../../../platform/lifecycle/index.ts'
import { systemClock } from '../../../platform/time/index.ts'
import type { CommonOptions } from '../command-options.ts'
import { dataDirectory, prepareDataDirectory } from '../data-directory.ts'
import { editConfig } from '../edit-config.ts'
import { EXIT } from '../exit.ts'
import { checkNodeName } from '../node-name.ts'
import type { Console } from '../terminal.ts'

export interface JoinCommandOptions extends CommonOptions {
  readonly cloud?: string
  readonly token?: string
  readonly node?: string
  readonly certPort?: string
}

const CLOUDHUB_PORT = '10000'
const CERTIFICATE_PORT = '10002'

/** `skerry join`: certificate and configuration of this node, verified, ready for `skerry edge`. */
export async function join(options: JoinCommandOptions, terminal: Console): Promise<number> {
  const directory = dataDirectory(options.data, 'run')
  const nodeName = checkNodeName(options.node ?? '')
  const token = parseJoinToken(options.token ?? '')
  const { host, port } = splitAddress(options.cloud ?? '')
  const certificates = `${host}:${options.certPort ?? portOf(token.address) ?? CERTIFICATE_PORT}`
  await prepareDataDirectory(directory)
  await joinNode({ address: certificates, token, nodeName, files: identityFiles(directory), clock: systemClock })
  const server = `${host}:${port ?? CLOUDHUB_PORT}`
  await editConfig(joinPath(directory, 'config.yaml'), { node: { name: nodeName }, cloud: { server, certificates } })
  terminal.print(
    options.output,
    { node: nodeName, cloud: server, directory },
    `${nodeName} has its certificate; start it with: skerry edge${options.data === undefined ? '' : ` --data ${directory}`}`,
  )
  return EXIT.ok
}

/** HOST, HOST:PORT, [IPv6] or [IPv6]:PORT. */
function splitAddress(text: string): { readonly host: string; readonly port?: string } {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:[\]/\s]+)(?::(\d{1,5}))?$/.exec(text.trim())
  const host = match?.[1]
  if (host === undefined) {
    throw new ConfigError(`"${text}" is not an address: write it as HOST or HOST:PORT`, {
      code: 'PROCESS_ADDRESS_INVALID',
    })
  }
  const port = match?.[2]
  return port === undefined ? { host } : { host, port }
}

function portOf(address: string | undefined): string | undefined {
  return address === undefined ? undefined : splitAddress(address).port
}
