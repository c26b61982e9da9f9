import type { ResourceDefinition } from '../resource.ts'

const ALL = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']
/** Of what is created below an object. */
const ACTION_VERBS: readonly string[] = ['create']
const PART_VERBS: readonly string[] = ['get', 'patch', 'update']

/** Namespaces go one by one, each with what is in it. */
export function verbsOf({ group, plural, verbs }: Pick<ResourceDefinition, 'group' | 'plural' | 'verbs'>) {
  if (verbs) return verbs
  return group === '' && plural === 'namespaces' ? ALL.filter((verb) => verb !== 'deletecollection') : ALL
}

/** One subresource as discovery names it. */
export interface Subresource {
  readonly name: string
  /** Of the objects that it takes and answers with. */
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly verbs: readonly string[]
}

/** What can be asked of a part of an object of this kind, in the order of discovery. */
export function subresourcesOf(definition: ResourceDefinition): readonly Subresource[] {
  const { group, version, kind, actions = [], parts = [], scale, statusSubresource } = definition
  const own = { group, version, kind, verbs: PART_VERBS }
  const all: readonly Subresource[] = [
    ...actions.map(({ subresource, ...of }) => ({ name: subresource, ...of, verbs: ACTION_VERBS })),
    ...parts.map((name) => ({ name, ...own })),
    ...(scale ? [{ name: 'scale', group: 'autoscaling', version: 'v1', kind: 'Scale', verbs: PART_VERBS }] : []),
    ...(statusSubresource ? [{ name: 'status', ...own }] : []),
  ]
  return [...all].sort((a, b) => a.name.localeCompare(b.name))
}
