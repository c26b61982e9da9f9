import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { dataDirectory } from './data-directory.ts'

/** Where a mapper keeps its files: of the edge below `skerry up`, or of an edge by itself. */
export function mapperFolder(data: string | undefined, protocol: string): string {
  const directory = dataDirectory(data, 'ask')
  const edge = join(directory, 'edge')
  return join(existsSync(edge) ? edge : directory, 'mappers', protocol)
}
