import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { ConfigError } from '../../platform/lifecycle/index.ts'

/** A host without and with its port. */
export interface Address {
  readonly host: string
  readonly port?: string
}

/** HOST, HOST:PORT, [IPv6] or [IPv6]:PORT. */
export function splitAddress(given: string): Address {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:[\]/\s]+)(?::(\d{1,5}))?$/.exec(given.trim())
  const host = match?.[1]
  if (host === undefined) {
    throw new ConfigError(`"${given}" is not an address: write it as HOST or HOST:PORT`, {
      code: 'PROCESS_ADDRESS_INVALID',
    })
  }
  const port = match?.[2]
  return port === undefined ? { host } : { host, port }
}

/** From the command line, a file, or standard input (`-`), where neither other users nor the history of the shell see it. */
export async function readToken(options: { readonly token?: string; readonly tokenFile?: string }): Promise<string> {
  const { token, tokenFile } = options
  if (token !== undefined && tokenFile === undefined) return token
  if (tokenFile === undefined || token !== undefined) {
    throw new ConfigError('a join token is needed: give --token TOKEN, or --token-file FILE (- for standard input)', {
      code: 'PROCESS_TOKEN_NEEDED',
    })
  }
  if (tokenFile === '-') return text(process.stdin)
  try {
    return await readFile(tokenFile, 'utf8')
  } catch (cause) {
    throw new ConfigError('the token file cannot be read (it is removed after a join)', {
      code: 'PROCESS_TOKEN_FILE_UNREADABLE',
      cause,
    })
  }
}
