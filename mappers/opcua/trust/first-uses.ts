import { randomBytes } from 'node:crypto'
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Which certificate a server showed when it was trusted last, by its url. */
export interface FirstUses {
  get(url: string): Promise<string | undefined>
  set(url: string, fingerprint: string): Promise<void>
  /** For a server that has none yet; answers whose it is now: of two that come at once, the first. */
  claim(url: string, fingerprint: string): Promise<string>
}

/** In `servers/` of the folder, a file for each: devices that connect at once, in one process or several, never undo each other. */
export async function openFirstUses(folder: string): Promise<FirstUses> {
  const servers = join(folder, 'servers')
  await mkdir(servers, { recursive: true, mode: 0o700 })
  const fileOf = (url: string) => join(servers, encodeURIComponent(serverOf(url)))
  const write = async (file: string, fingerprint: string, place: (temporary: string) => Promise<void>) => {
    const temporary = `${file}.${randomBytes(6).toString('hex')}.new`
    await writeFile(temporary, `${fingerprint}\n`, { mode: 0o600 })
    try {
      await place(temporary)
    } finally {
      await rm(temporary, { force: true })
    }
  }
  return {
    get: (url) => read(fileOf(url)),
    set: async (url, fingerprint) => {
      const file = fileOf(url)
      await write(file, fingerprint, (temporary) => rename(temporary, file))
    },
    claim: async (url, fingerprint) => {
      const file = fileOf(url)
      await write(file, fingerprint, (temporary) => link(temporary, file).catch(unless('EEXIST')))
      return (await read(file)) ?? fingerprint
    },
  }
}

/** Host and port: the rest of a url changes without the server being another. */
function serverOf(url: string): string {
  const { hostname, port } = new URL(url)
  return `${hostname.toLowerCase()}:${port || '4840'}`
}

async function read(file: string): Promise<string | undefined> {
  const text = await readFile(file, 'utf8').catch(unless('ENOENT'))
  return text === undefined || text.trim() === '' ? undefined : text.trim()
}

function unless(code: string): (error: unknown) => undefined {
  return (error) => {
    if (!(error instanceof Error && 'code' in error && error.code === code)) throw error
  }
}
