import { createHash } from 'node:crypto'
import type { JsonObject } from '../../../schemas/index.ts'
import {
  type DescribedVersion,
  type Documentation,
  describedVersions,
  openApi2Document,
  openApi2Protobuf,
  openApiDocument,
} from '../../kube/openapi/index.ts'
import type { ResourceDefinition } from '../../kube/resource.ts'
import type { ServedKinds } from '../objects/registry.ts'
import { modelTexts } from './model-texts.ts'
import type { OpenApiDocumentText } from './openapi-source.ts'

/** The OpenAPI documents of the kinds that are served just now, each written when it is first asked for. */
export interface OpenApiDocuments {
  readonly hashes: () => readonly (readonly [path: string, hash: string])[]
  readonly ofVersion: (path: string) => OpenApiDocumentText | undefined
  readonly whole: () => OpenApiDocumentText
  readonly wholeAsProtobuf: () => { readonly bytes: Uint8Array; readonly hash: string }
}

interface Kept extends OpenApiDocumentText {
  readonly definitions: readonly ResourceDefinition[]
}

/**
 * A document is kept as long as its own kinds stay as they are: most kinds never change, and each new custom kind must not cost all
 * documents. So there is one a version that is served, and two of OpenAPI 2.0.
 */
export function createOpenApiDocuments(
  registry: ServedKinds,
  documentation: Documentation = modelTexts(),
): OpenApiDocuments {
  const kept = new Map<string, Kept>()
  let versions: ReadonlyMap<string, DescribedVersion> = new Map()
  let whole: OpenApiDocumentText | undefined
  let protobuf: Uint8Array | undefined
  let revision = -1

  const refresh = () => {
    if (revision === registry.revision) return
    revision = registry.revision
    versions = new Map(describedVersions(registry.definitions).map((each) => [each.path, each]))
    whole = undefined
    protobuf = undefined
    for (const path of kept.keys()) if (!versions.has(path)) kept.delete(path)
  }

  const ofVersion = (path: string): OpenApiDocumentText | undefined => {
    refresh()
    const version = versions.get(path)
    if (!version) return undefined
    const known = kept.get(path)
    if (known && isSame(known.definitions, version.definitions)) return known
    const made = { ...written(openApiDocument(version, documentation)), definitions: version.definitions }
    kept.set(path, made)
    return made
  }

  const wholeText = (): OpenApiDocumentText => {
    refresh()
    whole ??= written(openApi2Document([...versions.values()], documentation))
    return whole
  }

  return {
    hashes: () => {
      refresh()
      return [...versions.keys()].map((path) => [path, ofVersion(path)?.hash ?? ''] as const)
    },
    ofVersion,
    whole: wholeText,
    wholeAsProtobuf: () => {
      const { text, hash } = wholeText()
      if (!protobuf) {
        const document: JsonObject = JSON.parse(text)
        protobuf = openApi2Protobuf(document)
      }
      return { bytes: protobuf, hash }
    },
  }
}

function written(document: JsonObject): OpenApiDocumentText {
  const text = JSON.stringify(document)
  return { text, hash: createHash('sha512').update(text).digest('hex').toUpperCase() }
}

function isSame(one: readonly ResourceDefinition[], other: readonly ResourceDefinition[]): boolean {
  return one.length === other.length && one.every((each, index) => each === other[index])
}
