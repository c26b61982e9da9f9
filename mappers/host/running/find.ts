import { existsSync, readFileSync } from 'node:fs'
import { createRequire, findPackageJSON, registerHooks } from 'node:module'
import { isAbsolute, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { ConfigError, describeError } from '../../../platform/lifecycle/index.ts'
import type { MapperOrigin } from '../../../schemas/index.ts'

/** A mapper's module and where it comes from. */
export interface FoundMapper {
  readonly entry: string
  readonly origin: MapperOrigin
}

/**
 * The module that `mappers.use` names: an absolute path of a file or of a package's folder, else a package, looked for as an
 * import in each of the folders `from` would. Throws ConfigError that says where it was not.
 */
export function findMapper(mapper: string, from: readonly string[]): FoundMapper {
  return isAbsolute(mapper) ? atPath(mapper) : inPackage(mapper, from)
}

function atPath(path: string): FoundMapper {
  const manifest = readManifest(join(path, 'package.json'))
  if (manifest === undefined) {
    if (existsSync(path)) return { entry: pathToFileURL(path).href, origin: { kind: 'path', path } }
    throw notFound(path, 'there is no such file')
  }
  return { entry: entryOf(path, manifest), origin: { kind: 'path', path, ...versionOf(manifest) } }
}

/** Of a package's own folder, as if it were installed. */
function entryOf(folder: string, { name, exports }: Manifest): string {
  try {
    if (name !== undefined && exports) return resolveFrom(name, folder)
    return pathToFileURL(createRequire(join(folder, 'package.json')).resolve('./')).href
  } catch (error) {
    throw notFound(folder, describeError(error), error)
  }
}

function inPackage(name: string, from: readonly string[]): FoundMapper {
  let reason = 'no folder to look in'
  for (const folder of from) {
    try {
      const entry = resolveFrom(name, folder)
      const manifest = findPackageJSON(entry)
      const version = manifest === undefined ? {} : versionOf(readManifest(manifest))
      return { entry, origin: { kind: 'package', name, ...version, path: fileURLToPath(entry) } }
    } catch (error) {
      // A package that is there and exports nothing says more than that it is not in the next folder.
      if (isMissing(error)) reason = `it is in none of ${from.map((each) => join(each, 'node_modules')).join(', ')}`
      else throw notFound(name, describeError(error), error)
    }
  }
  throw notFound(name, reason)
}

/** As `import` of the name in a module of the folder. */
function resolveFrom(name: string, folder: string): string {
  const parentURL = pathToFileURL(join(folder, 'mapper.js')).href
  using _hooks = disposable(
    registerHooks({
      resolve: (specifier, context, next) => next(specifier, specifier === name ? { ...context, parentURL } : context),
    }),
  )
  return import.meta.resolve(name)
}

function disposable(hooks: { deregister(): void }): Disposable {
  return { [Symbol.dispose]: () => hooks.deregister() }
}

function isMissing(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return code === 'ERR_MODULE_NOT_FOUND' && describeError(error).startsWith('Cannot find package ')
}

interface Manifest {
  readonly name?: string
  readonly version?: string
  /** Whether the package says what it exports. */
  readonly exports: boolean
}

function readManifest(file: string): Manifest | undefined {
  if (!existsSync(file)) return undefined
  const parsed = parseManifest(file)
  const manifest = typeof parsed === 'object' && parsed !== null ? { ...parsed } : {}
  const text = (key: string) => {
    const value: unknown = Reflect.get(manifest, key)
    return typeof value === 'string' ? { [key]: value } : {}
  }
  return { ...text('name'), ...text('version'), exports: 'exports' in manifest }
}

function parseManifest(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw notFound(file, describeError(error))
  }
}

function versionOf(manifest: Manifest | undefined): { readonly version?: string } {
  return manifest?.version === undefined ? {} : { version: manifest.version }
}

function notFound(mapper: string, why: string, cause?: unknown): ConfigError {
  return new ConfigError('A mapper of the configuration is not there', {
    code: 'MAPPERS_NOT_FOUND',
    fields: { mapper },
    cause: cause instanceof Error ? cause : new Error(`${mapper}: ${why}`),
  })
}
