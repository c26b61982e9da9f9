import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { packageRoot } from '../version.ts'

/** The commands of a how-to page in their order, one string each, as somebody pastes them. */
export async function commandsOf(page: string): Promise<readonly string[]> {
  const text = await readFile(join(packageRoot, 'docs', 'how-to', page), 'utf8')
  return [...text.matchAll(/^ *```sh\n(.*?)^ *```/gms)].flatMap(([, block = '']) =>
    block
      .replaceAll('\\\n', ' ')
      .trim()
      .split('\n')
      .map((line) => line.trim()),
  )
}
