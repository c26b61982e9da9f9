import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { builtInMappers } from '../../../mappers/host/index.ts'
import { notWritten } from '../../../platform/files/index.ts'
import { ConfigError, RefusedError } from '../../../platform/lifecycle/index.ts'

export interface ScaffoldOptions {
  /** Of the package, with or without a scope. */
  readonly name: string
  /** Is made; must be empty or absent. */
  readonly folder: string
  readonly typescript: boolean
  /** Of this Skerry: where the sample is, and what `skerry/mapper` is for the new package. */
  readonly packageRoot: string
}

const SAMPLE = 'mapper-acme-co2'
const NAME = /^(@[a-z0-9][a-z0-9._-]*\/)?[a-z][a-z0-9-]{0,62}$/

/** What in the sample becomes TypeScript, besides the names of its files. */
const TYPED: readonly (readonly [file: string, from: string, to: string])[] = [
  [
    'index',
    '/** @param {string} address @param {RequestInit} options */\nasync function ask(address, options)',
    'async function ask(address: string, options: RequestInit)',
  ],
  ['sensor', '  /** @type {(() => void)[]} */\n  const held = []', '  const held: (() => void)[] = []'],
]

/** Writes a package that is a mapper: the sample under another name. Returns its files and its protocol. */
export async function scaffold(
  options: ScaffoldOptions,
): Promise<{ readonly protocol: string; readonly files: readonly string[] }> {
  const { name, folder, typescript, packageRoot } = options
  const protocol = protocolOf(name)
  await refuseFull(folder)
  const sample = join(packageRoot, 'samples', SAMPLE)
  const files = new Map<string, string>()
  for (const file of await readdir(sample)) {
    const text = renamed(await readFile(join(sample, file), 'utf8'), name, protocol)
    if (typescript) files.set(file.replace(/\.js$/, '.ts'), typed(file, text))
    else files.set(file, text)
  }
  files.set('.gitignore', 'node_modules/\ndist/\n')
  if (typescript) files.set('tsconfig.json', TSCONFIG)
  const isNew = !existsSync(folder)
  try {
    await mkdir(folder, { recursive: true })
    for (const [file, text] of files) await writeFile(join(folder, file), text)
    await link(folder, packageRoot)
  } catch (error) {
    // What is there in part would be in the way of another try. Where nothing could be made, removing it may fail likewise.
    const made = isNew ? [folder] : [...files.keys(), 'node_modules'].map((file) => join(folder, file))
    for (const each of made) await rm(each, { recursive: true, force: true }).catch(() => undefined)
    throw notWritten(folder, error)
  }
  return { protocol, files: [...files.keys()].sort() }
}

/** The name of the protocol that goes with the name of the package: `@acme/mapper-barn` is `barn`. */
export function protocolOf(name: string): string {
  const last = name.replace(/^@[^/]*\//, '')
  const protocol = last.replace(/^(skerry-)?mapper-/, '')
  if (!NAME.test(name) || !/^[a-z][a-z0-9-]*$/.test(protocol)) {
    throw new ConfigError(
      `"${name}" cannot be the name of a mapper: use lower-case letters, digits and dashes, beginning with a letter, e.g. barn-climate or @acme/mapper-barn`,
      { code: 'PROCESS_MAPPER_NAME' },
    )
  }
  if (builtInMappers.some((built) => built.protocol === protocol || built.aliases?.includes(protocol))) {
    throw new ConfigError(
      `Skerry brings a mapper for ${protocol} already: choose a name of your own, e.g. ${protocol}-acme`,
      {
        code: 'PROCESS_MAPPER_NAME',
      },
    )
  }
  return protocol
}

async function refuseFull(folder: string): Promise<void> {
  if (!existsSync(folder)) return
  const found = await readdir(folder).catch(() => ['.'])
  if (found.length === 0) return
  throw new RefusedError(
    `${folder} is there and not empty, and nothing of it is overwritten: choose another with --dir`,
    {
      code: 'PROCESS_MAPPER_FOLDER',
    },
  )
}

function renamed(text: string, name: string, protocol: string): string {
  const device = protocol.replaceAll('-', ' ')
  return text
    .replaceAll(SAMPLE, name)
    .replaceAll('acme-co2', protocol)
    .replaceAll('ACME CO2 sensors', `${device} sensors`)
}

function typed(file: string, text: string): string {
  let result = text.replace('// @ts-check\n', '')
  for (const [of, from, to] of TYPED) if (file === `${of}.js`) result = result.replace(from, to)
  if (file === 'package.json') return typedManifest(text)
  return result.replaceAll(/\b(index|sensor|conformance|index\.test)\.js\b/g, '$1.ts')
}

function typedManifest(text: string): string {
  const { exports: _exports, files, scripts, ...manifest } = JSON.parse(text)
  const typed = {
    ...manifest,
    exports: './dist/index.js',
    files: ['dist/index.js', 'dist/index.d.ts', ...files.filter((file: string) => file !== 'index.js')],
    scripts: { build: 'tsc', prepack: 'npm run build', ...scripts, sensor: 'node sensor.ts 8100' },
    devDependencies: { '@types/node': '>=22', typescript: '>=5.8' },
  }
  return `${JSON.stringify(typed, undefined, 2)}\n`
}

const TSCONFIG = `{
  "compilerOptions": {
    "strict": true,
    "module": "nodenext",
    "target": "es2024",
    "lib": ["es2024", "esnext.disposable"],
    "types": ["node"],
    "skipLibCheck": true,
    "erasableSyntaxOnly": true,
    "rewriteRelativeImportExtensions": true,
    "declaration": true,
    "outDir": "dist"
  },
  "include": ["*.ts"],
  "exclude": ["*.test.ts"]
}
`

/** Makes `skerry/mapper` resolve at once, for tests and editors; `npm install` puts the published one there. */
async function link(folder: string, packageRoot: string): Promise<void> {
  await mkdir(join(folder, 'node_modules'), { recursive: true })
  await symlink(packageRoot, join(folder, 'node_modules', 'skerry'), 'junction')
}
