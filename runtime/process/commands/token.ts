import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { UnavailableError } from '../../../platform/lifecycle/index.ts'
import { seconds } from '../../../platform/time/index.ts'
import { askProcess } from '../ask.ts'
import type { CommonOptions } from '../command-options.ts'
import { dataDirectory } from '../data-directory.ts'
import { parseDuration } from '../duration-text.ts'
import { EXIT } from '../exit.ts'
import { checkNodeName } from '../node-name.ts'
import type { Console } from '../terminal.ts'

export interface TokenOptions extends CommonOptions {
  readonly node?: string
  readonly ttl?: string
}

/** `skerry token create`: asks the running cloud half of this data directory, which alone holds the signing key. */
export async function createToken(options: TokenOptions, terminal: Console): Promise<number> {
  const ttlMs = parseDuration(options.ttl ?? '24h').milliseconds
  if (options.node !== undefined) checkNodeName(options.node)
  const body = { ttlMs, ...(options.node === undefined ? {} : { node: options.node }) }
  const dir = cloudDirectory(dataDirectory(options.data, 'ask'))
  const answer = await askProcess(dir, 'POST', '/tokens', seconds(10), body)
  if (typeof answer !== 'object' || answer === null || !('token' in answer) || typeof answer.token !== 'string') {
    throw new UnavailableError('The cloud half answered without a token', { code: 'PROCESS_TOKEN_MISSING' })
  }
  terminal.print(options.output, answer, answer.token)
  return EXIT.ok
}

/** The cloud half of a `skerry up` has its own folder in that data directory. */
function cloudDirectory(directory: string): string {
  return existsSync(join(directory, 'cloud', 'config.yaml')) ? join(directory, 'cloud') : directory
}
