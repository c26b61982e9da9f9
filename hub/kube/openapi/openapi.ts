import { createHash } from 'node:crypto'
import type { Json, JsonObject } from '../../../schemas/index.ts'
import { definitionsOf, groupNames, versionsOf } from '../discovery/index.ts'
import type { ResourceDefinition } from '../resource.ts'
import { componentsOf } from './components.ts'
import { pathsOf } from './paths.ts'

/** `GET /openapi/v3`: where the document of each version is. The hash changes with the document, so that clients may keep it. */
export function openApiIndex(definitions: readonly ResourceDefinition[]): JsonObject {
  const paths: Record<string, Json> = {}
  for (const group of ['', ...groupNames(definitions)]) {
    for (const version of versionsOf(definitions, group)) {
      const document = openApiDocument(definitions, group, version)
      const hash = createHash('sha512').update(JSON.stringify(document)).digest('hex').toUpperCase()
      const root = rootOf(group, version)
      paths[root.slice(1)] = { serverRelativeURL: `/openapi/v3${root}?hash=${hash}` }
    }
  }
  return { paths }
}

/** `GET /openapi/v3/api/v1` and `/openapi/v3/apis/<group>/<version>`; nothing for a version that is not served. */
export function openApiDocument(
  definitions: readonly ResourceDefinition[],
  group: string,
  version: string,
): JsonObject | undefined {
  const members = definitionsOf(definitions, group, version)
  if (members.length === 0) return undefined
  const root = rootOf(group, version)
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'unversioned' },
    paths: Object.fromEntries(members.flatMap((each) => Object.entries(pathsOf(each, root)))),
    components: { schemas: componentsOf(members) },
  }
}

function rootOf(group: string, version: string): string {
  return group === '' ? `/api/${version}` : `/apis/${group}/${version}`
}
