import type { ReadStream } from 'node:tty'
import { ConfigError } from '../../platform/lifecycle/index.ts'
import type { Console } from './terminal.ts'

/** What a password may have in MQTT 3.1.1 §3.1.3.5. */
const LONGEST_SECRET = 65_535

/** A secret, asked for twice on a terminal that does not show it, else the first line of standard input. */
export async function readSecret(what: string, terminal: Console): Promise<string> {
  const { stdin } = process
  if (!stdin.isTTY) return checked(await firstLine(stdin))
  const secret = checked(await typed(stdin, `${what}: `, terminal))
  if ((await typed(stdin, `${what} again: `, terminal)) === secret) return secret
  throw new ConfigError('the two are not the same: try again', { code: 'PROCESS_SECRET_DIFFERS' })
}

function checked(secret: string): string {
  if (secret === '') throw new ConfigError('it must not be empty', { code: 'PROCESS_SECRET_EMPTY' })
  if (Buffer.byteLength(secret) <= LONGEST_SECRET) return secret
  throw new ConfigError(`it has more than ${LONGEST_SECRET} bytes`, { code: 'PROCESS_SECRET_TOO_LONG' })
}

async function firstLine(stdin: AsyncIterable<Buffer | string>): Promise<string> {
  let read = Buffer.alloc(0)
  for await (const chunk of stdin) {
    read = Buffer.concat([read, Buffer.from(chunk)])
    if (read.includes('\n') || read.length > LONGEST_SECRET + 2) break
  }
  return (read.toString('utf8').split('\n', 1)[0] ?? '').replace(/\r$/, '')
}

function typed(stdin: ReadStream, prompt: string, terminal: Console): Promise<string> {
  return new Promise((resolve, reject) => {
    let secret: readonly string[] = []
    const end = (finish: () => void) => {
      stdin.off('data', onData)
      stdin.setRawMode(false)
      stdin.pause()
      terminal.writeError('\n')
      finish()
    }
    const onData = (chunk: Buffer | string) => {
      for (const key of chunk.toString()) {
        if (key === '\r' || key === '\n' || key === '\u0004') return end(() => resolve(secret.join('')))
        if (key === '\u0003') {
          return end(() => reject(new ConfigError('interrupted; nothing changed', { code: 'PROCESS_INTERRUPTED' })))
        }
        if (key === '\u007f' || key === '\b') secret = secret.slice(0, -1)
        else if (key === '\u0015') secret = []
        else if (secret.length < LONGEST_SECRET) secret = [...secret, key]
      }
    }
    terminal.writeError(prompt)
    stdin.setRawMode(true)
    stdin.on('data', onData)
    stdin.resume()
  })
}
