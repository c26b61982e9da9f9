import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Which certificate a server showed when it was trusted last, by its url. */
export interface FirstUses {
  get(url: string): Promise<string | undefined>
  set(url: string, fingerprint: string): Promise<void>
}

/** In one file of the folder. */
export function openFirstUses(folder: string): FirstUses {
  const file = join(folder, 'servers.json')
  return {
    get: async (url) => (await read(file)).get(serverOf(url)),
    set: async (url, fingerprint) => {
      const known = await read(file)
      known.set(serverOf(url), fingerprint)
      const text = `${JSON.stringify(Object.fromEntries(known), undefined, 2)}\n`
      await writeFile(`${file}.new`, text, { mode: 0o600 })
      await rename(`${file}.new`, file)
    },
  }
}

/** Host and port: the rest of a url changes without the server being another. */
function serverOf(url: string): string {
  return new URL(url.replace(/^opc\.tcp:/, 'http:')).host.toLowerCase()
}

async function read(file: string): Promise<Map<string, string>> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return new Map()
    throw error
  }
  const found: unknown = JSON.parse(text)
  const entries = typeof found === 'object' && found !== null ? Object.entries(found) : []
  return new Map(
    entries.flatMap(([server, fingerprint]) => (typeof fingerprint === 'string' ? [[server, fingerprint]] : [])),
  )
}
