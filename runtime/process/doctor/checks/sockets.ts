import { stat } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { type Check, type Finding, fail, ok, warn } from '../finding.ts'
import type { Setup } from '../setup.ts'

/** The sockets by which a running process and the pods of its node are reached. */
export const sockets: Check = {
  name: 'sockets',
  async run(setup, signal) {
    const [control, edged] = await Promise.all([controlSocket(setup), edgedSocket(setup, signal)])
    return [...control, ...edged]
  },
}

async function controlSocket({ directory, status }: Setup): Promise<readonly Finding[]> {
  const found = await stat(join(directory, 'control.sock')).catch(() => undefined)
  if (status) return found ? judgeMode(found.mode) : [ok('the control socket answers')]
  if (!found) return []
  return [
    warn(
      'there is a control socket, and nobody answers by it',
      'Skerry was killed, or belongs to another user: the next start removes the socket',
    ),
  ]
}

/** The kubelet server of Edged. The next start removes one that a killed process left. */
async function edgedSocket({ status, endpoints }: Setup, signal: AbortSignal): Promise<readonly Finding[]> {
  const path = endpoints.edged
  if (!status || path === undefined) return []
  const found = await stat(path).catch(() => undefined)
  const again = 'stop skerry, and start it again'
  if (!found) return [fail(`the socket of Edged, ${path}, is gone: nobody reaches the pods of this node`, again)]
  if ((found.mode & 0o077) !== 0) {
    return [fail(`others may use the socket of Edged, ${path}, and so run commands in all pods of this node`, again)]
  }
  const problem = await whyNotAnswered(path, signal)
  return [problem === undefined ? ok('the socket of Edged answers') : fail(`the socket of Edged: ${problem}`, again)]
}

function whyNotAnswered(path: string, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ path, signal })
    socket.once('connect', () => {
      resolve(undefined)
      socket.destroy()
    })
    socket.once('error', (error) => resolve(error.message))
  })
}

function judgeMode(mode: number): readonly Finding[] {
  if ((mode & 0o007) === 0 || (mode & 0o002) === 0) return [ok('the control socket answers')]
  return [fail('everybody may use the control socket', 'stop skerry, chmod 700 its data directory, and start it again')]
}
