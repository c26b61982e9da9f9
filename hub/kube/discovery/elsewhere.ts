import type { ResourceDefinition } from '../resource.ts'

/**
 * Kinds of this server and, behind it, those of another one to which it passes requests on. What it has itself wins, by the name of the
 * resource and by that of the kind: a client has to find the one that is here.
 */
export function withElsewhere(
  own: readonly ResourceDefinition[],
  elsewhere: readonly ResourceDefinition[],
): readonly ResourceDefinition[] {
  const names = new Set(own.filter(({ served }) => served !== false).flatMap(namesOf))
  return [...own, ...elsewhere.filter((each) => !namesOf(each).some((name) => names.has(name)))]
}

function namesOf({ group, version, plural, kind }: ResourceDefinition): readonly string[] {
  return [`${group}/${version}/${plural}`, `${group}/${version} ${kind}`]
}
