import { join } from 'node:path'

/** Where MetaServer keeps its own certificates and tokens. */
export function metaServerFolder(directory: string): string {
  return join(directory, 'metaserver')
}
