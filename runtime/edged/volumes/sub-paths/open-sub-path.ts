import { type FileHandle, mkdir, realpath } from 'node:fs/promises'
import { codeOf, hasCode } from '../../../../platform/lifecycle/index.ts'
import { OpenFolder } from '../folders/open-folder.ts'

/** While somebody renames or removes on the way. */
const ATTEMPTS = 3

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'goes away while it is opened',
  ENOTDIR: 'leads through a file',
  ELOOP: 'leads through a ring of links',
  EEXIST: 'is a link to nothing',
}

/** What is at a path in a volume, open so that it stays what it is. The caller closes it. */
export interface SubPath {
  readonly handle: FileHandle
  /** Where it was without links. */
  readonly path: string
}

/**
 * Opens what is at a path in a volume; where nothing is, a folder is made, with the mode of the volume. Links that stay in the
 * volume are followed; one that leads out of it, or is put there meanwhile, is refused.
 */
export async function openSubPath(volume: string, path: string): Promise<SubPath> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await open(await realpath(volume), path)
    } catch (error) {
      const reason = REASONS[codeOf(error) ?? '']
      if (reason !== undefined && attempt < ATTEMPTS) continue
      throw reason === undefined ? error : new Error(`subPath ${path} ${reason}`, { cause: error })
    }
  }
}

async function open(root: string, path: string): Promise<SubPath> {
  const { real, missing } = await resolved(root, path)
  let folder = await OpenFolder.at(root)
  try {
    const mode = (await folder.handle.stat()).mode & 0o7777
    const parts = [...real, ...missing]
    for (const [index, name] of parts.slice(0, -1).entries()) {
      const next = await (index < real.length ? folder.folder(name) : made(folder, name, mode))
      await folder[Symbol.asyncDispose]()
      folder = next
    }
    const last = parts.at(-1)
    if (last === undefined) return { handle: await opened(folder, '.'), path: root }
    if (missing.length > 0) await (await made(folder, last, mode))[Symbol.asyncDispose]()
    return { handle: await opened(folder, last), path: [root, ...parts].join('/') }
  } finally {
    await folder[Symbol.asyncDispose]()
  }
}

/** The parts of the path without links, as far as it is there, and those that are not. */
async function resolved(root: string, path: string): Promise<{ real: readonly string[]; missing: readonly string[] }> {
  const parts = path.split('/')
  for (let there = parts.length; there > 0; there--) {
    const real = await realpath([root, ...parts.slice(0, there)].join('/')).catch((error: unknown) => {
      if (!hasCode(error, 'ENOENT')) throw error
    })
    if (real === undefined) continue
    if (real !== root && !real.startsWith(`${root}/`))
      throw new Error(`subPath ${path} leads out of the volume by a link`)
    return {
      real: real
        .slice(root.length + 1)
        .split('/')
        .filter((part) => part !== ''),
      missing: parts.slice(there),
    }
  }
  return { real: [], missing: parts }
}

/** A link that leads to nothing stands in the way as EEXIST does: it is not followed. */
async function made(parent: OpenFolder, name: string, mode: number): Promise<OpenFolder> {
  await mkdir(parent.in(name), { mode: 0o700 })
  const folder = await parent.folder(name)
  await folder.handle.chmod(mode)
  return folder
}

async function opened(parent: OpenFolder, name: string): Promise<FileHandle> {
  const handle = await parent.entry(name)
  if (!(await handle.stat()).isSymbolicLink()) return handle
  await handle.close()
  throw Object.assign(new Error('a link was put in the way'), { code: 'ELOOP' })
}
