import { stringify } from 'yaml'
import type { Json, JsonObject } from '../../schemas/index.ts'
import { installation } from './installation.ts'
import type { Part, Values } from './part.ts'
import { isSetting, SETTINGS, type Setting, type Settings } from './values.ts'

const HEAD = '# Generated from deploy/source by `npm run gen`.\n'

/** The plain manifests, by their path: an installation with the defaults of the chart. */
export function manifests(): Readonly<Record<string, string>> {
  return Object.fromEntries(
    installation(defaults).map(({ name, parts }) => {
      const objects = parts.flatMap(objectsOf)
      return [`deploy/manifests/${name}.yaml`, HEAD + objects.map((object) => yamlOf(object)).join('---\n')]
    }),
  )
}

/** Long texts stay on their lines, and nothing is an alias. */
export function yamlOf(object: JsonObject): string {
  return stringify(object, { lineWidth: 0, aliasDuplicateObjects: false })
}

const defaults: Values = {
  of: defaultOf,
  json: (path) => JSON.stringify(defaultOf(path)),
  bare: (path) => String(defaultOf(path)),
  isSeveral: (path) => String(Number(defaultOf(path)) > 1),
}

function objectsOf(part: Part): readonly JsonObject[] {
  if ('object' in part) return part.when === undefined || defaultOf(part.when) === true ? [part.object] : []
  const items = defaultOf(part.each)
  return defaultOf(part.unless) === true || !Array.isArray(items) ? [] : items.map((item) => part.make(item))
}

function defaultOf(path: string): Json {
  let at: Setting | Settings | undefined = SETTINGS
  for (const name of path.split('.')) at = at === undefined || isSetting(at) ? undefined : at[name]
  if (at === undefined || !isSetting(at)) throw new Error(`the chart has no setting ${path}`)
  return at.default
}
