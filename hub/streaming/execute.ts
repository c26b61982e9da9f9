import type { IncomingMessage } from 'node:http'
import { RefusedError } from '../../platform/lifecycle/index.ts'
import type { Clock } from '../../platform/time/index.ts'
import { askUpgrade } from './ask-upgrade.ts'
import { wordsOf } from './body-text.ts'
import type { Command, Execute } from './command.ts'
import { COMMAND_PROTOCOL, runCommand } from './remote-command.ts'
import { SpdyConnection } from './spdy/connection.ts'

/** Of what the other side says instead of running the command. */
const LONGEST_REASON = 50_000

export const execute: Execute = async (command, signal) => {
  const { connect, path, headers, clock } = command
  const answer = await askUpgrade(
    {
      ...{ connect, clock, method: 'POST', path: `${path}?${commandQuery(command)}` },
      headers: {
        host: 'localhost',
        ...headers,
        connection: 'Upgrade',
        upgrade: 'SPDY/3.1',
        'x-stream-protocol-version': COMMAND_PROTOCOL,
        'content-length': 0,
      },
    },
    signal,
  )
  const onAbort = () => answer.socket.destroy()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    signal.throwIfAborted()
    if (!answer.isUpgraded) throw await refused(answer.response, clock)
    const connection = new SpdyConnection(answer.socket, answer.head, { role: 'client', clock })
    const status = await runCommand(connection, command, signal)
    connection.close()
    return status
  } catch (error) {
    answer.socket.destroy()
    signal.throwIfAborted()
    throw error
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** As a kubelet reads it. */
export function commandQuery({ command, stdin, stdout, stderr, tty }: Command): string {
  const query = new URLSearchParams()
  for (const word of command) query.append('command', word)
  if (stdin) query.set('input', '1')
  if (stdout) query.set('output', '1')
  if (stderr && tty !== true) query.set('error', '1')
  if (tty === true) query.set('tty', '1')
  // As Go writes it: errors tell of it.
  query.sort()
  return query.toString()
}

async function refused(response: IncomingMessage, clock: Clock): Promise<RefusedError> {
  const reason = (await wordsOf(response, LONGEST_REASON, clock)).trim()
  return new RefusedError('The other side refuses the streams', {
    code: 'HUB_STREAM_REFUSED',
    fields: { status: response.statusCode ?? 0, reason },
  })
}
