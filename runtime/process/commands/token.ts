import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { CommonOptions } from '../command-options.ts'
import { dataDirectory } from '../data-directory.ts'
import { parseDuration } from '../duration-text.ts'
import { EXIT } from '../exit.ts'
import { checkNodeName } from '../node-name.ts'
import { requestToken } from '../request-token.ts'
import type { Console } from '../terminal.ts'

export interface TokenOptions extends CommonOptions {
  readonly node?: string
  readonly ttl?: string
}

/** `skerry token create`: asks the running cloud half of this data directory. */
export async function createToken(options: TokenOptions, terminal: Console): Promise<number> {
  const ttl = parseDuration(options.ttl ?? '24h')
  if (options.node !== undefined) checkNodeName(options.node)
  const answer = await requestToken(cloudDirectory(dataDirectory(options.data, 'ask')), { ttl, node: options.node })
  terminal.print(options.output, answer, answer.token)
  return EXIT.ok
}

/** The cloud half of a `skerry up` has its own folder in that data directory. */
function cloudDirectory(directory: string): string {
  return existsSync(join(directory, 'cloud', 'config.yaml')) ? join(directory, 'cloud') : directory
}
