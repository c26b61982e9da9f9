import type { ResourceDefinition } from '../resource.ts'

const ALL = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']

/** Namespaces go one by one, each with what is in it. */
export function verbsOf({ group, plural }: Pick<ResourceDefinition, 'group' | 'plural'>): readonly string[] {
  return group === '' && plural === 'namespaces' ? ALL.filter((verb) => verb !== 'deletecollection') : ALL
}

export const STATUS_VERBS: readonly string[] = ['get', 'patch', 'update']
