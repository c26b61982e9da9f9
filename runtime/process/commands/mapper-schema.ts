import { pathToFileURL } from 'node:url'
import { builtInMappers, loadMapper, visitorSchemaForEditors } from '../../../mappers/host/index.ts'
import type { CommonOptions } from '../command-options.ts'
import { EXIT } from '../exit.ts'
import { findFile } from '../mapper/find-file.ts'
import type { Console } from '../terminal.ts'

/** `skerry mapper schema [PROTOCOL|PATH]`: a JSON Schema of the manifests of a mapper's devices, for editors. */
export async function mapperSchema(which: string, _options: CommonOptions, terminal: Console): Promise<number> {
  const builtIn = builtInMappers.find(({ protocol, aliases }) => protocol === which || aliases?.includes(which))
  const entry = builtIn?.entry ?? pathToFileURL(findFile(which, ['index', 'src/index', 'mapper'], 'the mapper'))
  const mapper = await loadMapper({ entry })
  const visitors = object({
    protocolName: { type: 'string' },
    configData: partOf(await visitorSchemaForEditors(mapper.visitorConfig.jsonSchema)),
  })
  const properties = { type: 'array', items: object({ name: { type: 'string' }, visitors }) }
  const protocol = object({
    protocolName: { const: mapper.protocol },
    configData: partOf(mapper.deviceConfig.jsonSchema),
  })
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: `Device or DeviceModel of protocol ${mapper.protocol}`,
    ...object({ spec: object({ protocol: { anyOf: [{ type: 'string' }, protocol] }, properties }) }),
  }
  terminal.print('json', schema, '')
  return EXIT.ok
}

function object(properties: object): object {
  return { type: 'object', properties }
}

/** A model may say one part of a configuration and its devices the rest, so none of the two has to say all. */
function partOf(schema: object): object {
  return { ...schema, required: [] }
}
