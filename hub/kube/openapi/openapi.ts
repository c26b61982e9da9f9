import type { JsonObject } from '../../../schemas/index.ts'
import { definitionsOf, groupNames, versionsOf } from '../discovery/index.ts'
import type { ResourceDefinition } from '../resource.ts'
import { componentsOf } from './components.ts'
import type { Documentation } from './documentation.ts'
import { pathsOf } from './paths.ts'

/** A version of a group, and where its document is below `/openapi/v3`. */
export interface DescribedVersion {
  readonly group: string
  readonly version: string
  /** `api/v1`, `apis/apps/v1`. */
  readonly path: string
  readonly definitions: readonly ResourceDefinition[]
}

/** The versions that are served, each with its kinds. */
export function describedVersions(definitions: readonly ResourceDefinition[]): readonly DescribedVersion[] {
  return ['', ...groupNames(definitions)].flatMap((group) =>
    versionsOf(definitions, group).map((version) => ({
      ...{ group, version, path: rootOf(group, version).slice(1) },
      definitions: definitionsOf(definitions, group, version),
    })),
  )
}

/** `GET /openapi/v3`: where the document of each version is. The hash changes with the document, so that clients may keep it. */
export function openApiIndex(hashes: readonly (readonly [path: string, hash: string])[]): JsonObject {
  const paths = hashes.map(([path, hash]) => [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` }] as const)
  return { paths: Object.fromEntries(paths) }
}

/** `GET /openapi/v3/api/v1` and `/openapi/v3/apis/<group>/<version>`. */
export function openApiDocument(
  { group, version, definitions }: DescribedVersion,
  documentation: Documentation,
): JsonObject {
  const root = rootOf(group, version)
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'unversioned' },
    paths: Object.fromEntries(definitions.flatMap((each) => Object.entries(pathsOf(each, root)))),
    components: { schemas: componentsOf(definitions, { documentation, dialect: 'v3' }) },
  }
}

export function rootOf(group: string, version: string): string {
  return group === '' ? `/api/${version}` : `/apis/${group}/${version}`
}
