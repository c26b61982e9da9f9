import type { JsonObject } from '../../../schemas/index.ts'
import type { ResourceDefinition } from '../resource.ts'

/** A parameter of the query. */
export function query(name: string, description: string, type = 'string'): JsonObject {
  return { name, in: 'query', description, schema: { type, uniqueItems: true } }
}

export function pathParameter(name: string): JsonObject {
  return { name, in: 'path', required: true, schema: { type: 'string', uniqueItems: true } }
}

/** `createCoreV1NamespacedPodBinding`, `deleteCoreV1CollectionNamespacedPod`. */
export function operationId(definition: ResourceDefinition, verb: string, suffix: string, infix = ''): string {
  const { namespaced, kind } = definition
  const scope = namespaced && suffix !== 'ForAllNamespaces' ? 'Namespaced' : ''
  return `${verb}${capital(groupPart(definition))}${capital(definition.version)}${infix}${scope}${kind}${suffix}`
}

/** `core_v1`, `exampleCom_v1`. */
export function tag(definition: ResourceDefinition): string {
  return `${groupPart(definition)}_${definition.version}`
}

/** `core`, `devicesKubeedgeIo`. */
function groupPart({ group }: ResourceDefinition): string {
  const [first = '', ...rest] = group === '' ? ['core'] : group.replace(/\.k8s\.io$/, '').split('.')
  return first + rest.map(capital).join('')
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1)
}
