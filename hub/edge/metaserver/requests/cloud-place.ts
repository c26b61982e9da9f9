import type { ApiPlace, JsonObject } from '../../../../schemas/index.ts'
import { flag } from '../../../serving/requests/options.ts'
import type { ResourcePath } from '../../../serving/requests/paths.ts'

export function placeOf({ group, version, plural, namespace, name }: ResourcePath): ApiPlace {
  return {
    ...{ group, version, resource: plural },
    ...(namespace === '' ? {} : { namespace }),
    ...(name === '' ? {} : { name }),
  }
}

const TEXTS = [
  'labelSelector',
  'fieldSelector',
  'continue',
  'resourceVersion',
  'resourceVersionMatch',
  'fieldManager',
  'fieldValidation',
  'propagationPolicy',
] as const
const NUMBERS = ['limit', 'timeoutSeconds', 'gracePeriodSeconds'] as const
const FLAGS = ['force', 'allowWatchBookmarks', 'sendInitialEvents', 'orphanDependents'] as const

/** Options of a request as Kubernetes names them in its structures. */
export function optionsOf(query: URLSearchParams): JsonObject {
  const options: Record<string, JsonObject[string]> = {}
  for (const name of TEXTS) {
    const text = query.get(name) ?? ''
    if (text !== '') options[name] = text
  }
  for (const name of NUMBERS) {
    const text = query.get(name) ?? ''
    if (/^\d{1,15}$/.test(text)) options[name] = Number(text)
  }
  for (const name of FLAGS) if (query.has(name)) options[name] = flag(query.get(name))
  const dryRun = query.getAll('dryRun').filter((each) => each !== '')
  if (dryRun.length > 0) options['dryRun'] = dryRun
  return options
}
