import { stringify } from 'yaml'
import { ConfigError } from '../../../platform/lifecycle/index.ts'
import { CloudConfig, EdgeConfig, UpConfig } from '../../../schemas/config/index.ts'
import { crds as definitions } from '../../../schemas/crd/index.ts'
import type { CommonOptions } from '../command-options.ts'
import { EXIT } from '../exit.ts'
import type { Console } from '../terminal.ts'

/** `skerry crds`: YAML that kubectl apply takes; with -o json a List. */
export async function crds(options: CommonOptions, terminal: Console): Promise<number> {
  const list = { apiVersion: 'v1', kind: 'List', items: definitions }
  terminal.print(
    options.output,
    list,
    definitions
      .map((each) => stringify(each))
      .join('---\n')
      .trimEnd(),
  )
  return EXIT.ok
}

const SCHEMAS: Readonly<Record<string, object>> = { up: UpConfig, cloud: CloudConfig, edge: EdgeConfig }

/** `skerry config schema`: always JSON, because a JSON Schema is. */
export async function configSchema(process: string, _options: CommonOptions, terminal: Console): Promise<number> {
  const schema = SCHEMAS[process]
  if (!schema) {
    throw new ConfigError(`there is no configuration of "${process}": name up, cloud or edge`, {
      code: 'PROCESS_CONFIG_UNKNOWN',
    })
  }
  terminal.print('json', { $schema: 'https://json-schema.org/draft/2020-12/schema', ...schema }, '')
  return EXIT.ok
}
