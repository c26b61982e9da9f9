import { readFile, stat } from 'node:fs/promises'
import { userInfo } from 'node:os'

/** Why a port could not be opened, and what to do about it. `error` is what opening said. */
export async function openError(path: string, error: unknown): Promise<Error> {
  const text = error instanceof Error ? error.message : String(error)
  // Without the cause, which says the same in other words.
  return new Error(await reason(path, text, error))
}

/** Somebody else has locked the port. */
export function isBusy(error: unknown): boolean {
  return error instanceof Error && /lock port|busy|Resource temporarily unavailable/i.test(error.message)
}

async function reason(path: string, text: string, error: unknown): Promise<string> {
  if (/No such (file|device)/i.test(text)) return missingPort(path)
  if (/Permission denied|Access denied/i.test(text)) return `no permission for ${path}: ${await remedy(path)}`
  if (isBusy(error)) {
    return `${path} is in use by another process; find it with: fuser -v ${path}`
  }
  if (/Inappropriate ioctl|baud rate|termios/i.test(text))
    return `${path} is no serial port, or does not know this baud rate`
  return `${path} cannot be opened: ${text}`
}

export function missingPort(path: string): string {
  const rfcomm = /^\/dev\/rfcomm(\d+)$/.exec(path)
  if (!rfcomm) return `${path} does not exist: is the device plugged in? ls /dev/serial/by-id shows what is`
  return `${path} does not exist: bind it to the device with: sudo rfcomm bind ${rfcomm[1]} ADDRESS CHANNEL`
}

/** Which group may use the port, and how the user gets into it. */
async function remedy(path: string): Promise<string> {
  const group = await groupOf(path)
  const name = userName()
  return group === undefined
    ? 'allow the user of the edge to read and write it'
    : `it belongs to group ${group}; add the user of the edge to it with: sudo usermod -aG ${group} ${name}, and restart the edge`
}

async function groupOf(path: string): Promise<string | undefined> {
  try {
    const { gid } = await stat(path)
    const groups = await readFile('/etc/group', 'utf8')
    const line = groups.split('\n').find((each) => each.split(':')[2] === String(gid))
    return line?.split(':')[0] ?? String(gid)
  } catch {
    // The reason stands without it.
    return undefined
  }
}

function userName(): string {
  try {
    return userInfo().username
  } catch {
    // A container may run under an id without a name.
    return 'USER'
  }
}
