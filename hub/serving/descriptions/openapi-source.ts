import type { Asker } from './asker.ts'

export interface OpenApiDocumentText {
  /** May be made when it is asked for first. */
  readonly text: string
  /** Of the text; other texts have another one. */
  readonly hash: string
}

type Now<T> = T | Promise<T>

/** Where OpenAPI documents are. Paths are such as `apis/apps/v1`. Rejects with a Status where one cannot be had now. */
export interface OpenApiSource {
  hashes(asker: Asker): Now<readonly (readonly [path: string, hash: string])[]>
  ofVersion(path: string, asker: Asker): Now<OpenApiDocumentText | undefined>
  /** OpenAPI 2.0, of all versions. */
  whole(asker: Asker): Now<OpenApiDocumentText>
  /** The same as protobuf, under the hash of the JSON. */
  wholeAsProtobuf(asker: Asker): Now<{ readonly bytes: Uint8Array; readonly hash: string }>
}
