import { builtInMappers, loadMapper } from '../../mappers/host/index.ts'
import { hostKeysSchema } from '../../mappers/host/values/host-keys.ts'
import { sampleTexts } from './sample-parts.ts'
import { record, schemaRows } from './schema-rows.ts'

const MOST_PROPERTIES = 4

/** Reference of the configuration of every built-in protocol, from its schemas, with examples from samples/. */
export async function protocolsPage(): Promise<string> {
  const parts = [
    '# Protocols',
    '',
    'For people who write a DeviceModel or a Device. *Generated from the mappers by `npm run gen`; the examples are parts of the files in',
    '[samples](../../samples/README.md).*',
    '',
    'Two places say how a value is reached. `protocol.configData` of a Device says where the device is; keys that all devices of a type',
    'share may stand in `protocolConfigData` of the DeviceModel. `visitors.configData` of a property says where in the device its value is:',
    'in the DeviceModel, and key by key over it in the Device.',
    '',
    'Upper and lower case of keys and of their words never matter, numbers and booleans may be quoted, and keys that are unknown are ignored.',
    'What is wrong is told in the condition `Accepted` of the Device, with a pointer to it.',
  ]
  parts.push('', '## Every protocol', ...table(hostKeysSchema))
  for (const source of builtInMappers) {
    const { deviceConfig, visitorConfig } = await loadMapper(source)
    const names = [source.protocol, ...(source.aliases ?? [])].map((name) => `\`${name}\``).join(', ')
    parts.push('', `## ${source.protocol}`, '', `\`protocolName\`: ${names}.`)
    parts.push('', `### ${source.protocol}: protocol.configData`, ...table(deviceConfig.jsonSchema))
    parts.push('', `### ${source.protocol}: visitors.configData`, ...table(visitorConfig.jsonSchema))
    parts.push(...examples([source.protocol, ...(source.aliases ?? [])]))
  }
  return `${parts.join('\n')}\n`
}

function table(schema: object): readonly string[] {
  const { description } = record(schema)
  return ['', String(description), '', '| key | type | default | meaning |', '|---|---|---|---|', ...schemaRows(schema)]
}

function examples(protocols: readonly string[]): readonly string[] {
  return sampleTexts()
    .filter((sample) => protocols.includes(sample.protocol))
    .flatMap((sample) => [
      '',
      `### Example: [samples/${sample.name}](../../samples/${sample.name}/README.md)`,
      '',
      'In the `spec` of the Device:',
      '',
      ...yaml(sample.device),
      '',
      `In \`spec.properties\` of the DeviceModel${sample.properties.length > MOST_PROPERTIES ? ', among others' : ''}:`,
      '',
      ...yaml(sample.properties.slice(0, MOST_PROPERTIES).join('\n')),
    ])
}

function yaml(text: string): readonly string[] {
  return ['```yaml', text, '```']
}
