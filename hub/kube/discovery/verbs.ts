import type { ResourceDefinition } from '../resource.ts'

const ALL = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']

/** Namespaces go one by one, each with what is in it. */
export function verbsOf({ group, plural }: Pick<ResourceDefinition, 'group' | 'plural'>): readonly string[] {
  return group === '' && plural === 'namespaces' ? ALL.filter((verb) => verb !== 'deletecollection') : ALL
}

/** Of what is created below an object. */
export const ACTION_VERBS: readonly string[] = ['create']

export const STATUS_VERBS: readonly string[] = ['get', 'patch', 'update']
