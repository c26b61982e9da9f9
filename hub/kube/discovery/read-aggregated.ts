import type { Json, JsonObject } from '../../../schemas/index.ts'
import { arrayAt, isJsonObject, objectAt, textAt } from '../object/index.ts'
import type { ResourceDefinition, Subresource } from '../resource.ts'

/** What another server says of its kinds. */
export interface ToldKinds {
  readonly definitions: readonly ResourceDefinition[]
  /** What has no name of the right form, or was too much. */
  readonly left: number
}

const GROUP = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/
const KIND = /^[A-Za-z][A-Za-z0-9-]{0,62}$/
const VERB = /^[a-z]{1,32}$/
/** Of one list of a kind: its verbs, short names, categories and subresources. */
const MOST_NAMES = 64

/**
 * Kinds in an APIGroupDiscoveryList of `/api` or `/apis` (v2 or v2beta1), as another server gave it, at most so many. Undefined for
 * what is no such list; what in it is not well formed is left out.
 */
export function readAggregated(list: JsonObject, root: 'api' | 'apis', most: number): ToldKinds | undefined {
  const isList =
    textAt(list, 'kind') === 'APIGroupDiscoveryList' && /^apidiscovery\.k8s\.io\//.test(textAt(list, 'apiVersion'))
  if (!isList || !Array.isArray(list['items'])) return undefined
  const definitions: ResourceDefinition[] = []
  let left = 0
  for (const { group, version, resource } of resourcesIn(list)) {
    const isPlaced = root === 'api' ? group === '' : GROUP.test(group)
    const made = isPlaced && definitions.length < most ? definitionOf(group, version, resource) : undefined
    if (made) definitions.push(made)
    else left++
  }
  return { definitions, left }
}

function* resourcesIn(list: JsonObject) {
  for (const item of arrayAt(list, 'items').filter(isJsonObject)) {
    const group = textAt(objectAt(item, 'metadata'), 'name')
    for (const each of arrayAt(item, 'versions').filter(isJsonObject)) {
      const version = textAt(each, 'version')
      for (const resource of arrayAt(each, 'resources').filter(isJsonObject)) yield { group, version, resource }
    }
  }
}

function definitionOf(group: string, version: string, resource: JsonObject): ResourceDefinition | undefined {
  const plural = textAt(resource, 'resource')
  const kind = textAt(objectAt(resource, 'responseKind'), 'kind')
  if (!LABEL.test(version) || !LABEL.test(plural) || !KIND.test(kind)) return undefined
  const singular = textAt(resource, 'singularResource')
  const names = (field: string) => namesIn(resource, field, LABEL)
  return {
    ...{ group, version, kind, plural, listKind: `${kind}List` },
    singular: LABEL.test(singular) ? singular : '',
    shortNames: names('shortNames'),
    categories: names('categories'),
    namespaced: resource['scope'] === 'Namespaced',
    ...{ storage: false, custom: true, elsewhere: true, statusSubresource: false },
    verbs: namesIn(resource, 'verbs', VERB),
    subresources: arrayAt(resource, 'subresources')
      .slice(0, MOST_NAMES)
      .flatMap((each) => subresourceOf({ group, version, kind }, each)),
    ...{ schema: undefined, printerColumns: [] },
  }
}

/** Of a kind that it does not name it is one of its owner, as built-in kinds leave out what is theirs. */
function subresourceOf(owner: Pick<Subresource, 'group' | 'version' | 'kind'>, value: Json): readonly Subresource[] {
  if (!isJsonObject(value)) return []
  const name = textAt(value, 'subresource')
  const of = objectAt(value, 'responseKind')
  const [group, version, kind] = [textAt(of, 'group'), textAt(of, 'version'), textAt(of, 'kind')]
  if (!LABEL.test(name) || (kind !== '' && !KIND.test(kind))) return []
  const isElsewhere = LABEL.test(version) && (group === '' || GROUP.test(group))
  const place = isElsewhere ? { group, version } : { group: owner.group, version: owner.version }
  return [{ name, ...place, kind: kind || owner.kind, verbs: namesIn(value, 'verbs', VERB) }]
}

function namesIn(object: JsonObject, field: string, form: RegExp): readonly string[] {
  return arrayAt(object, field)
    .slice(0, MOST_NAMES)
    .filter((each): each is string => typeof each === 'string' && form.test(each))
}
