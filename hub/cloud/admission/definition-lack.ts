import { type CustomResourceDefinition, crds } from '../../../schemas/crd/index.ts'
import { isRecord } from '../kubernetes/guards.ts'

type Plain = Readonly<Record<string, unknown>>

/**
 * The first thing that a definition in the API lacks of what Skerry writes, for people: `v1beta1 has no .status.conditions`. API
 * servers drop such fields without a word. Only the version that is stored counts.
 */
export function definitionLack(
  name: string,
  spec: unknown,
  own: readonly CustomResourceDefinition[] = crds,
): string | undefined {
  const wanted = versionsOf(own.find(({ metadata }) => metadata.name === name)?.spec)
  const present = versionsOf(spec)
  for (const version of wanted.filter(({ storage }) => storage === true)) {
    const theirs = present.find((each) => each['name'] === version['name'])
    if (!theirs || theirs['served'] === false) return `it does not serve ${version['name']}`
    if (hasStatus(version) && !hasStatus(theirs)) return `${version['name']} has no subresource status`
    const path = missing(schemaOf(version), schemaOf(theirs), '')
    if (path !== undefined) return `${version['name']} has no ${path}`
  }
  return undefined
}

function missing(own: Plain, theirs: Plain, path: string): string | undefined {
  if (theirs['x-kubernetes-preserve-unknown-fields'] === true) return undefined
  const [wanted, present] = [recordAt(own, 'properties'), recordAt(theirs, 'properties')]
  for (const [name, schema] of Object.entries(wanted)) {
    const there = present[name] ?? theirs['additionalProperties']
    if (!isRecord(there)) return there === true ? undefined : `${path}.${name}`
    const below = missing(isRecord(schema) ? schema : {}, there, `${path}.${name}`)
    if (below !== undefined) return below
  }
  for (const inner of ['items', 'additionalProperties']) {
    if (!isRecord(own[inner]) || !isRecord(theirs[inner])) continue
    const below = missing(own[inner], theirs[inner], `${path}[]`)
    if (below !== undefined) return below
  }
  return undefined
}

function versionsOf(spec: unknown): readonly Plain[] {
  const versions = isRecord(spec) ? spec['versions'] : undefined
  return Array.isArray(versions) ? versions.filter(isRecord) : []
}

function hasStatus(version: Plain): boolean {
  return isRecord(recordAt(version, 'subresources')['status'])
}

function schemaOf(version: Plain): Plain {
  return recordAt(recordAt(version, 'schema'), 'openAPIV3Schema')
}

function recordAt(value: Plain, name: string): Plain {
  const found = value[name]
  return isRecord(found) ? found : {}
}
