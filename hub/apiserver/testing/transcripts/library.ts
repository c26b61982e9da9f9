import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseTranscript, type Transcript } from './transcript.ts'

export const TRANSCRIPTS = fileURLToPath(new URL('../../transcripts/', import.meta.url))

/** All transcripts, by name; only these where names are given. */
export async function readTranscripts(names: readonly string[] = []): Promise<readonly Transcript[]> {
  const files = (await readdir(TRANSCRIPTS)).filter((file) => file.endsWith('.txt')).sort()
  const known = files.map((file) => file.replace(/\.txt$/, ''))
  const unknown = names.filter((name) => !known.includes(name))
  if (unknown.length > 0) throw new Error(`no such transcript: ${unknown.join(', ')}; there are: ${known.join(', ')}`)
  const wanted = names.length > 0 ? names : known
  return Promise.all(
    wanted.map(async (name) => parseTranscript(name, await readFile(join(TRANSCRIPTS, `${name}.txt`), 'utf8'))),
  )
}
