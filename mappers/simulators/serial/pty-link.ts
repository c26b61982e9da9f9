import { lstat, mkdir, readlink, rename, rm, symlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { RefusedError } from '../../../platform/lifecycle/index.ts'

/**
 * Makes `path` a link to a pseudo-terminal, so that a serial port keeps its name over restarts; dispose it when the terminal is
 * closed. Replaces a link, which may be of a simulator that ended badly, and nothing else.
 */
export async function linkPty(path: string, target: string): Promise<AsyncDisposable> {
  const found = await lstat(path).catch(() => undefined)
  if (found && !found.isSymbolicLink()) {
    throw new RefusedError(`${path} is there already and no link: name another path for the serial port`, {
      code: 'MAPPERS_SERIAL_PATH_TAKEN',
      fields: { path },
    })
  }
  await mkdir(dirname(path), { recursive: true })
  const fresh = `${path}.new`
  await rm(fresh, { force: true })
  await symlink(target, fresh)
  await rename(fresh, path)
  return {
    [Symbol.asyncDispose]: async () => {
      // Meanwhile it may be the link of another simulator.
      if ((await readlink(path).catch(() => undefined)) === target) await rm(path, { force: true })
    },
  }
}
