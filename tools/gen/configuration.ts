import { CloudConfig, EdgeConfig, UpConfig } from '../../schemas/config/index.ts'

/** Reference of the three configuration files, from their schemas. */
export function configurationPage(): string {
  const parts = [
    '# Configuration',
    '',
    'For people who write a configuration file. *Generated from the schemas by `npm run gen`.*',
    '',
    'YAML, given with `--config FILE`, else `DIR/config.yaml` where it exists. Unknown keys are refused. `skerry config schema up|cloud|edge`',
    'prints the JSON Schema, which editors understand.',
  ]
  for (const [name, schema] of [
    ['up', UpConfig],
    ['cloud', CloudConfig],
    ['edge', EdgeConfig],
  ] as const) {
    parts.push('', `## skerry ${name}`, '', '| key | type | default | meaning |', '|---|---|---|---|')
    parts.push(...rows('', schema))
  }
  return `${parts.join('\n')}\n`
}

function rows(prefix: string, schema: unknown): readonly string[] {
  const list: string[] = []
  for (const [name, child] of Object.entries(record(record(schema)['properties']))) {
    const key = prefix === '' ? name : `${prefix}.${name}`
    const { description, default: fallback } = record(child)
    const forms = record(record(child)['items'])['anyOf']
    const section = Array.isArray(forms) ? forms.find((form) => record(form)['type'] === 'object') : undefined
    const isSection = record(child)['type'] === 'object' && record(child)['properties'] !== undefined
    if (isSection) list.push(...rows(key, child))
    else if (record(record(child)['items'])['type'] === 'object') list.push(...rows(`${key}[]`, record(child)['items']))
    else {
      list.push(
        `| \`${key}\` | ${typeText(child)} | ${fallback === undefined ? '' : `\`${JSON.stringify(fallback)}\``} | ${String(description ?? '')} |`,
      )
      // Each item is a text, or a section with these keys.
      if (section !== undefined) list.push(...rows(`${key}[]`, section))
    }
  }
  return list
}

function typeText(schema: unknown): string {
  const { type, anyOf, items } = record(schema)
  if (Array.isArray(anyOf)) {
    const isChoice = anyOf.every((each) => 'const' in record(each))
    return isChoice
      ? anyOf.map((each) => `\`${String(record(each)['const'])}\``).join(', ')
      : anyOf.map(typeText).join(' or ')
  }
  // Keys that the author chooses.
  if (type === 'object') return record(schema)['properties'] === undefined ? 'texts by key' : 'section'
  if (type === 'array') return `list of ${typeText(items)}`
  return String(type)
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
