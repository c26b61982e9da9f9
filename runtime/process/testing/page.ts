import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { packageRoot } from '../version.ts'

/** The commands of a page (by its path in the repository) in their order, one string each, as somebody pastes them. */
export async function commandsOf(page: string): Promise<readonly string[]> {
  const text = await readFile(join(packageRoot, page), 'utf8')
  return [...text.matchAll(/^ *```sh\n(.*?)^ *```/gms)].flatMap(([, block = '']) =>
    block
      .replace(/\\\n */g, '')
      .trim()
      .split('\n')
      .map((line) => line.trim()),
  )
}
