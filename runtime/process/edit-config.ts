import { isMap, isSeq, parseDocument } from 'yaml'
import { readFileIfPresent, writeFileAtomic } from '../../platform/files/index.ts'
import { ConfigError } from '../../platform/lifecycle/index.ts'

/** Sections of a configuration file, and the keys to set in them, one level deeper where a key has keys. */
export type ConfigEdits = Readonly<
  Record<string, Readonly<Record<string, Scalar | readonly unknown[] | Readonly<Record<string, Scalar>>>>>
>
type Scalar = string | number | boolean

/** Sets these keys in a YAML file, which need not exist, and leaves whatever else an operator has written, comments too. ConfigError where it is not YAML. */
export async function editConfig(file: string, edits: ConfigEdits): Promise<void> {
  const document = await readDocument(file)
  for (const [section, keys] of Object.entries(edits)) {
    for (const [key, value] of Object.entries(keys)) {
      if (typeof value !== 'object') document.setIn([section, key], value)
      else if (isList(value)) document.setIn([section, key], document.createNode(value))
      else for (const [below, each] of Object.entries(value)) document.setIn([section, key, below], each)
    }
  }
  // An operator appends lines; those of `{...}` could not be continued.
  if (isMap(document.contents)) document.contents.flow = false
  await writeFileAtomic(file, document.toString(), 0o600)
}

/** What stands at `section.key` of a YAML file as a list; none where it is no list, or there is no file. */
export async function listInConfig(file: string, section: string, key: string): Promise<readonly unknown[]> {
  const found = (await readDocument(file)).getIn([section, key])
  const list: unknown = isSeq(found) ? found.toJSON() : []
  return Array.isArray(list) ? list : []
}

/** What stands at `section.key` of a YAML file as a text; undefined where there is none, or no file. */
export async function textInConfig(file: string, section: string, key: string): Promise<string | undefined> {
  const found: unknown = (await readDocument(file)).getIn([section, key])
  return typeof found === 'string' ? found : undefined
}

async function readDocument(file: string) {
  const document = parseDocument((await readFileIfPresent(file)) ?? '')
  const [broken] = document.errors
  if (!broken) return document
  const why = broken.message.split('\n')[0]?.replace(/:$/, '')
  throw new ConfigError(`${file} is not YAML: correct it (${why})`, { code: 'PROCESS_CONFIG_BROKEN' })
}

function isList(value: object): value is readonly unknown[] {
  return Array.isArray(value)
}
