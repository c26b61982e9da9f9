import type { ResourceDefinition, Subresource } from '../resource.ts'

const ALL = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']
/** The same, in the order in which discovery names those of a custom kind. */
const ALL_CUSTOM = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch']
/** Of what is created below an object. */
const ACTION_VERBS: readonly string[] = ['create']
const PART_VERBS: readonly string[] = ['get', 'patch', 'update']

/** Namespaces go one by one, each with what is in it. */
export function verbsOf({ group, plural, verbs, custom }: ResourceDefinition): readonly string[] {
  if (verbs) return verbs
  if (custom) return ALL_CUSTOM
  return group === '' && plural === 'namespaces' ? ALL.filter((verb) => verb !== 'deletecollection') : ALL
}

/** What can be asked of a part of an object of this kind, in the order of discovery. */
export function subresourcesOf(definition: ResourceDefinition): readonly Subresource[] {
  if (definition.subresources) return definition.subresources
  const { group, version, kind, actions = [], parts = [], connects = [], scale, statusSubresource, custom } = definition
  const own = { group, version, kind, verbs: PART_VERBS }
  const status = statusSubresource ? [{ name: 'status', ...own }] : []
  const scaling = scale
    ? [{ name: 'scale', group: 'autoscaling', version: 'v1', kind: 'Scale', verbs: PART_VERBS }]
    : []
  if (custom) return [...status, ...scaling]
  const all: readonly Subresource[] = [
    ...actions.map(({ subresource, ...of }) => ({ name: subresource, ...of, verbs: ACTION_VERBS })),
    ...connects.map((each) => ({ name: each.subresource, group, version, kind: each.kind, verbs: each.verbs })),
    ...parts.map((name) => ({ name, ...own })),
    ...scaling,
    ...status,
  ]
  return [...all].sort((a, b) => a.name.localeCompare(b.name))
}
