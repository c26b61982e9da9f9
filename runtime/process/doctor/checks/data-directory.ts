import { constants } from 'node:fs'
import { access, stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type Check, type Finding, fail, ok, warn } from '../finding.ts'

const MEBIBYTE = 1024 * 1024
/** Below it no change can be kept for long. */
const LEAST_BYTES = 64 * MEBIBYTE
const FEW_PERCENT = 10

export const dataDirectoryCheck: Check = {
  name: 'data',
  async run({ directory }) {
    const found = await stat(directory).catch(() => undefined)
    if (!found) {
      const parent = await nearest(dirname(directory))
      return [...(await writable(parent, `${directory} does not exist and cannot be made`)), await room(parent)]
    }
    if (!found.isDirectory()) return [fail(`${directory} is a file`, 'name another directory with --data')]
    const open = found.mode & 0o077
    return [
      ...(await writable(directory, `${directory} is not for this user`)),
      open === 0
        ? ok(`${directory} is for its owner alone`)
        : warn(`others may look into ${directory}, where keys are`, `chmod 700 ${directory}`),
      await room(directory),
    ]
  },
}

async function writable(folder: string, message: string): Promise<readonly Finding[]> {
  const isWritable = await access(folder, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  )
  return isWritable
    ? []
    : [fail(message, 'run as the user that Skerry runs as (often root), or name another directory with --data')]
}

async function room(folder: string): Promise<Finding> {
  const { bavail, blocks, bsize } = await statfs(folder)
  const free = bavail * bsize
  return judgeRoom(free, blocks === 0 ? 100 : (100 * bavail) / blocks)
}

export function judgeRoom(bytes: number, percent: number): Finding {
  const text = `${Math.floor(bytes / MEBIBYTE)} MiB (${Math.floor(percent)} %) are free on the disk of the data directory`
  const advice = 'make room: journalctl --vacuum-size=100M, crictl rmi --prune; or put --data on another disk'
  if (bytes < LEAST_BYTES) return fail(text, advice)
  return percent < FEW_PERCENT ? warn(text, advice) : ok(text)
}

async function nearest(folder: string): Promise<string> {
  const isThere = await stat(folder).then(
    () => true,
    () => false,
  )
  return isThere || folder === dirname(folder) ? folder : nearest(dirname(folder))
}
