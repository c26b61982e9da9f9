import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Check, type Finding, fail, ok, warn } from '../finding.ts'

/** The sockets by which a running process is asked. */
export const sockets: Check = {
  name: 'sockets',
  async run({ directory, status }) {
    const found = await stat(join(directory, 'control.sock')).catch(() => undefined)
    if (status) return found ? judgeMode(found.mode) : [ok('the control socket answers')]
    if (!found) return []
    return [
      warn(
        'there is a control socket, and nobody answers by it',
        'Skerry was killed, or belongs to another user: the next start removes the socket',
      ),
    ]
  },
}

function judgeMode(mode: number): readonly Finding[] {
  if ((mode & 0o007) === 0 || (mode & 0o002) === 0) return [ok('the control socket answers')]
  return [fail('everybody may use the control socket', 'stop skerry, chmod 700 its data directory, and start it again')]
}
