import protobuf from 'protobufjs'
import { CRI_API } from './api.ts'

/** A message as protobuf shows it: numbers for int64, names for enums, empty lists and maps for absent ones. */
export type Message = Readonly<Record<string, unknown>>

export interface Codec {
  encode(message: Message): Buffer
  decode(bytes: Buffer): Message
}

export interface Method {
  readonly name: string
  /** As gRPC names it: `/runtime.v1.RuntimeService/Version`. */
  readonly path: string
  /** Its answer is a stream. */
  readonly isStream: boolean
  readonly request: Codec
  readonly response: Codec
}

const SERVICES = ['RuntimeService', 'ImageService']
const FORM = { longs: Number, enums: String, arrays: true, objects: true, defaults: true } as const

/** The methods of CRI by their names. */
export function criMethods(): ReadonlyMap<string, Method> {
  const { root } = protobuf.parse(CRI_API)
  const codec = (name: string) => codecOf(root.lookupType(`runtime.v1.${name}`))
  const methods = SERVICES.flatMap((service) =>
    root.lookupService(`runtime.v1.${service}`).methodsArray.map(
      ({ name, requestType, responseType, responseStream = false }): Method => ({
        ...{ name, path: `/runtime.v1.${service}/${name}`, isStream: responseStream },
        ...{ request: codec(requestType), response: codec(responseType) },
      }),
    ),
  )
  return new Map(methods.map((method) => [method.name, method]))
}

function codecOf(type: protobuf.Type): Codec {
  return {
    encode: (message) => Buffer.from(type.encode(type.fromObject(message)).finish()),
    decode: (bytes) => type.toObject(type.decode(bytes), FORM),
  }
}
