import { existsSync } from 'node:fs'
import { join as joinPath } from 'node:path'
import {
  existingIdentity,
  type IdentityFiles,
  identityFiles,
  type JoinToken,
  joinNode,
  parseJoinToken,
} from '../../../hub/edge/join/index.ts'
import { removeFile } from '../../../platform/files/index.ts'
import { ConfigError } from '../../../platform/lifecycle/index.ts'
import { systemClock } from '../../../platform/time/index.ts'
import type { CommonOptions } from '../command-options.ts'
import { dataDirectory, prepareDataDirectory } from '../data-directory.ts'
import { editConfig, textInConfig } from '../edit-config.ts'
import { EXIT } from '../exit.ts'
import { readToken, splitAddress } from '../join-options.ts'
import { checkNodeName } from '../node-name.ts'
import { readConfig } from '../read-config.ts'
import type { Console } from '../terminal.ts'
import { momentText } from '../text-table.ts'

export interface JoinCommandOptions extends CommonOptions {
  readonly cloud?: string
  readonly token?: string
  readonly tokenFile?: string
  readonly node?: string
  readonly certPort?: string
  readonly force?: boolean
}

const CLOUDHUB_PORT = '10000'
const CERTIFICATE_PORT = '10002'

/** `skerry join`: certificate and configuration of this node, verified, ready for `skerry edge`. */
export async function join(options: JoinCommandOptions, terminal: Console): Promise<number> {
  // Not the token on the command line, from now on, where others of this machine list processes.
  process.title = 'skerry join'
  const directory = dataDirectory(options.data, 'run')
  const token = parseJoinToken(await readToken(options))
  const nodeName = nodeOf(options, token)
  const { server, certificates } = addressesOf(options, token)
  const file = options.config ?? joinPath(directory, 'config.yaml')
  const files = await filesOf(file, directory, nodeName)
  await prepareDataDirectory(directory)
  const isRest = options.force !== true && (await isRestOfJoin(files, { file, nodeName, token, directory }))
  if (!isRest) await joinNode({ address: certificates, token, nodeName, files, clock: systemClock })
  await editConfig(file, { node: { name: nodeName }, cloud: { server, certificates } })
  const { tokenFile = '-' } = options
  if (tokenFile !== '-') await removeFile(tokenFile)
  const data = options.data === undefined ? '' : ` --data ${directory}`
  terminal.print(
    options.output,
    { node: nodeName, cloud: server, directory },
    `${nodeName} has its certificate; start it with: skerry edge${data}${options.config === undefined ? '' : ` --config ${file}`}`,
  )
  return EXIT.ok
}

function nodeOf({ node }: JoinCommandOptions, token: JoinToken): string {
  const name = node ?? token.node
  if (name !== undefined) return checkNodeName(name)
  throw new ConfigError('the token is for any node: say which one this is with --node NAME', {
    code: 'PROCESS_NODE_NEEDED',
  })
}

/** Where nobody says otherwise, the cloud is where the token says. */
function addressesOf({ cloud, certPort }: JoinCommandOptions, token: JoinToken) {
  const given = cloud ?? token.server ?? token.address
  if (given === undefined) {
    throw new ConfigError('the token does not say where the cloud is: give --cloud HOST[:PORT]', {
      code: 'PROCESS_CLOUD_NEEDED',
    })
  }
  const { host, port } = splitAddress(given)
  const hinted = token.address === undefined ? undefined : splitAddress(token.address).port
  const hubPort = cloud === undefined && token.server === undefined ? undefined : port
  return {
    server: `${host}:${hubPort ?? CLOUDHUB_PORT}`,
    certificates: `${host}:${certPort ?? hinted ?? CERTIFICATE_PORT}`,
  }
}

/** Where the identity goes: what the configuration says, which may name KubeEdge's paths. */
async function filesOf(file: string, directory: string, nodeName: string): Promise<IdentityFiles> {
  if (!existsSync(file)) return identityFiles(directory)
  const { certificates } = await readConfig('edge', { file, overrides: { node: { name: nodeName } } })
  return identityFiles(directory, certificates)
}

interface Wanted {
  readonly file: string
  readonly nodeName: string
  readonly token: JoinToken
  readonly directory: string
}

/** Whether the certificate is there already and only the configuration is missing. Throws where there is a whole identity. */
async function isRestOfJoin(files: IdentityFiles, { file, nodeName, token, directory }: Wanted): Promise<boolean> {
  const present = await existingIdentity(files)
  if (!present) return false
  const isSame = present.node === nodeName && present.caHash === token.caHash
  const isComplete = (await textInConfig(file, 'cloud', 'server')) !== undefined
  if (isSame && !isComplete && present.expires > systemClock.now()) return true
  throw new ConfigError(
    `${directory} has the identity of ${present.node} already (until ${momentText(present.expires)} UTC): start it with skerry edge, or replace it with skerry join --force`,
    { code: 'PROCESS_ALREADY_JOINED' },
  )
}
