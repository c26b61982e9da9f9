import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Folder of the package: the nearest above this file with a package.json. */
export const packageRoot = findRoot(dirname(fileURLToPath(import.meta.url)))

export const version = readVersion()

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'))
  if (typeof manifest === 'object' && manifest !== null && 'version' in manifest) return String(manifest.version)
  return 'unknown'
}

function findRoot(from: string): string {
  try {
    readFileSync(join(from, 'package.json'))
    return from
  } catch (error) {
    const above = dirname(from)
    if (above === from) throw error
    return findRoot(above)
  }
}
