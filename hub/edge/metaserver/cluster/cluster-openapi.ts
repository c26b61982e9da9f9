import { createHash } from 'node:crypto'
import type { JsonObject } from '../../../../schemas/index.ts'
import { isJsonObject, objectAt, textAt } from '../../../kube/object/index.ts'
import { openApi2Protobuf } from '../../../kube/openapi/index.ts'
import { unavailable } from '../../../kube/status.ts'
import type { Asker } from '../../../serving/descriptions/asker.ts'
import type { OpenApiDocuments } from '../../../serving/descriptions/openapi-documents.ts'
import type { OpenApiDocumentText, OpenApiSource } from '../../../serving/descriptions/openapi-source.ts'
import type { Applications } from '../../applications/applications.ts'
import { isOperator } from '../access/rights.ts'
import { offline } from '../requests/node-request.ts'
import type { ClusterKinds } from './cluster-kinds.ts'
import type { LastTold } from './last-told.ts'
import type { ToldDocuments } from './told-documents.ts'

export interface ClusterOpenApiPorts {
  readonly own: OpenApiDocuments
  readonly kinds: ClusterKinds
  readonly documents: ToldDocuments
  readonly applications: Pick<Applications, 'isConnected' | 'read'>
  /** OpenAPI 2.0 of the cluster. */
  readonly whole: Pick<LastTold, 'isShownTo'>
}

export const INDEX = '/openapi/v3'
export const WHOLE = '/openapi/v2'
const MOST_VERSIONS = 5000
const HASH = /[?&]hash=([A-Za-z0-9]{1,256})$/

/**
 * OpenAPI documents of this node and of the cluster. A version whose kinds this node all knows is described by this node; of the others
 * a document is asked for when a client wants it, and kept. Without the cloud those that are kept are all that there are.
 */
export class ClusterOpenApi implements OpenApiSource {
  readonly #ports: ClusterOpenApiPorts
  /** Hashes of the cluster's documents, by path. */
  #told: ReadonlyMap<string, string> = new Map()

  constructor(ports: ClusterOpenApiPorts) {
    this.#ports = ports
  }

  /** Takes the cluster's answer at `/openapi/v3`; false for what is none. */
  take(index: JsonObject): boolean {
    if (!isJsonObject(index['paths'])) return false
    const told = Object.entries(index['paths'])
      .slice(0, MOST_VERSIONS)
      .flatMap(([path, entry]) => {
        const [, hash] = HASH.exec(isJsonObject(entry) ? textAt(entry, 'serverRelativeURL') : '') ?? []
        return hash === undefined ? [] : [[path, hash] as const]
      })
    this.#told = new Map(told)
    return true
  }

  hashes(): readonly (readonly [path: string, hash: string])[] {
    const { own, kinds, documents, applications } = this.#ports
    const hashes = new Map(own.hashes())
    for (const [path, told] of this.#told) {
      const hash = applications.isConnected ? told : documents.tagOf(placeOf(path))
      if (hash === undefined || !kinds.hasElsewhere(path)) continue
      const ours = hashes.get(path)
      hashes.set(path, ours === undefined ? hash : joined(ours, hash))
    }
    return [...hashes]
  }

  async ofVersion(path: string, asker: Asker): Promise<OpenApiDocumentText | undefined> {
    const { own, kinds } = this.#ports
    const ours = own.ofVersion(path)
    if (!kinds.hasElsewhere(path)) return ours
    const theirs = await this.#document(path, asker)
    if (!theirs) {
      if (ours) return ours
      throw offline(`this node has no copy of the description of ${path}`)
    }
    if (!ours) return theirs
    return {
      hash: joined(ours.hash, theirs.hash),
      get text() {
        return JSON.stringify(mergedDocument(JSON.parse(ours.text), JSON.parse(theirs.text)))
      },
    }
  }

  async whole(asker: Asker): Promise<OpenApiDocumentText> {
    const { own, kinds, documents, whole } = this.#ports
    const ours = own.whole()
    if (kinds.elsewhere === 0 || !(await whole.isShownTo(asker))) return ours
    const tag = documents.tagOf(WHOLE)
    const text = await documents.read(WHOLE)
    if (tag === undefined || text === undefined) return ours
    return {
      hash: joined(ours.hash, tag),
      get text() {
        return JSON.stringify(mergedWhole(JSON.parse(ours.text), JSON.parse(text)))
      },
    }
  }

  async wholeAsProtobuf(asker: Asker) {
    const { own } = this.#ports
    const document = await this.whole(asker)
    if (document.hash === own.whole().hash) return own.wholeAsProtobuf()
    return {
      hash: document.hash,
      get bytes() {
        return openApi2Protobuf(JSON.parse(document.text))
      },
    }
  }

  async #document(path: string, { user, token, signal }: Asker): Promise<OpenApiDocumentText | undefined> {
    const { documents, applications } = this.#ports
    const place = placeOf(path)
    const wanted = this.#told.get(path)
    const kept = documents.tagOf(place)
    const { isConnected } = applications
    if (!isConnected || wanted === undefined || kept === wanted) return await this.#kept(place)
    const own = isOperator(user) || token === undefined ? {} : { token }
    const { code, object } = await applications.read({ path: place, ...own }, signal)
    if (code !== 200 || !object) {
      const earlier = await this.#kept(place)
      if (earlier) return earlier
      throw unavailable(`the cloud answered ${code} to what describes ${path}`)
    }
    const text = JSON.stringify(object)
    await documents.keep(place, wanted, text)
    return { hash: wanted, text }
  }

  async #kept(place: string): Promise<OpenApiDocumentText | undefined> {
    const { documents } = this.#ports
    const hash = documents.tagOf(place)
    const text = await documents.read(place)
    return hash === undefined || text === undefined ? undefined : { hash, text }
  }
}

function placeOf(path: string): string {
  return `${INDEX}/${path}`
}

/** What this node says goes before, also of structures that both describe. */
function mergedDocument(own: JsonObject, told: JsonObject): JsonObject {
  const schemas = (of: JsonObject) => objectAt(objectAt(of, 'components'), 'schemas')
  return {
    ...own,
    paths: { ...objectAt(told, 'paths'), ...objectAt(own, 'paths') },
    components: { ...objectAt(own, 'components'), schemas: { ...schemas(told), ...schemas(own) } },
  }
}

function mergedWhole(own: JsonObject, told: JsonObject): JsonObject {
  const both = (field: string) => ({ ...objectAt(told, field), ...objectAt(own, field) })
  return { ...own, paths: both('paths'), definitions: both('definitions') }
}

function joined(own: string, told: string): string {
  return createHash('sha256').update(`${own} ${told}`).digest('hex').toUpperCase()
}
