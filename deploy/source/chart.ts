import type { JsonObject } from '../../schemas/index.ts'
import { installation } from './installation.ts'
import type { Part, PartFile, Values } from './part.ts'
import { yamlOf } from './plain.ts'
import { valuesSchema, valuesYaml } from './values.ts'

const CHART = 'deploy/chart'
const HEAD = '{{- /* Generated from deploy/source by `npm run gen`. */ -}}\n'

/** The files of the Helm chart, by their path. `version` is the product's. */
export function chart(version: string): Readonly<Record<string, string>> {
  const about = {
    ...{
      apiVersion: 'v2',
      name: 'skerry',
      version,
      appVersion: version,
      type: 'application',
      kubeVersion: '>=1.29.0-0',
    },
    description: 'The cloud half of Skerry: devices at the edge, managed with kubectl',
  }
  return {
    [`${CHART}/Chart.yaml`]: yamlOf(about),
    [`${CHART}/values.yaml`]: `# Generated from deploy/source by \`npm run gen\`.\n${valuesYaml()}`,
    [`${CHART}/values.schema.json`]: `${JSON.stringify(valuesSchema(), undefined, 2)}\n`,
    ...Object.fromEntries(
      installation(places)
        .filter(({ notInChart }) => !notInChart)
        .map((file) => [`${CHART}/templates/${file.name}.yaml`, template(file)]),
    ),
  }
}

/** Marks that no setting and no text of ours has; they become actions of the template once the YAML is written. */
const places: Values = {
  of: (path) => `⟦json .Values.${path}⟧`,
  json: (path) => `⟦json .Values.${path}⟧`,
  bare: (path) => `⟦bare .Values.${path}⟧`,
  isSeveral: (path) => `⟦bare gt (int .Values.${path}) 1⟧`,
}

/** JSON is YAML, on one line and quoted where it has to be: no setting can break out of its place. */
function withActions(yaml: string): string {
  return yaml.replace(/⟦json ([^⟧]*)⟧/g, '{{ toJson $1 }}').replace(/⟦bare ([^⟧]*)⟧/g, '{{ $1 }}')
}

function template({ parts, when }: PartFile): string {
  const body = parts.map(templateOf).join('')
  return HEAD + (when === undefined ? body : `{{- if .Values.${when} }}\n${body}{{- end }}\n`)
}

function templateOf(part: Part): string {
  if ('object' in part) {
    const text = documentOf(part.object)
    return part.when === undefined ? text : `{{- if .Values.${part.when} }}\n${text}{{- end }}\n`
  }
  const each = `{{- range .Values.${part.each} }}\n${documentOf(part.make('⟦json .⟧'))}{{- end }}\n`
  return `{{- if not .Values.${part.unless} }}\n${each}{{- end }}\n`
}

function documentOf(object: JsonObject): string {
  return `---\n${withActions(yamlOf(object))}`
}
