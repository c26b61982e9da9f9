import { readFileIfPresent } from '../../../platform/files/index.ts'
import { ConfigError } from '../../../platform/lifecycle/index.ts'

/** What a JSON file of `skerry up` holds; undefined when there is none. `remedy` ends the message of the ConfigError for a damaged one. */
export async function readStateFile(file: string, remedy: string): Promise<unknown> {
  const text = await readFileIfPresent(file)
  if (text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new ConfigError(`${file} is damaged: ${remedy}`, { code: 'PROCESS_STATE_DAMAGED', cause })
  }
}
