import { type Static, type TSchema, Type } from 'typebox'

/** A field that is not here is not supported, and a pod that has it is refused. */
export const closed = { additionalProperties: false } as const

export const optional = <T extends TSchema>(schema: T) => Type.Optional(schema)
export const list = <T extends TSchema>(schema: T) => Type.Array(schema, { default: [] })
export const text = (fallback?: string) => Type.String(fallback === undefined ? {} : { default: fallback })
export const flag = (fallback: boolean) => Type.Boolean({ default: fallback })
export const count = (fallback: number, minimum = 0) => Type.Integer({ default: fallback, minimum })
/** Somebody else's field: of the API or its scheduler. */
export const foreign = Type.Optional(Type.Unknown())

/** Kubernetes, resource.Quantity. */
export const Amount = Type.Union([Type.String(), Type.Number()])
export type Amount = Static<typeof Amount>
/** A number, or the name of a port of the container. */
export const PortReference = Type.Union([Type.Integer({ minimum: 1, maximum: 65535 }), Type.String({ minLength: 1 })])
export type PortReference = Static<typeof PortReference>
/** Bits of a file's mode. */
export const Mode = Type.Integer({ minimum: 0, maximum: 0o777 })

export const KeyToPath = Type.Object({ key: text(), path: text(), mode: optional(Mode) }, closed)
export type KeyToPath = Static<typeof KeyToPath>

export const FieldReference = Type.Object({ apiVersion: optional(text()), fieldPath: text() }, closed)
export type FieldReference = Static<typeof FieldReference>

export const ResourceReference = Type.Object(
  { containerName: optional(text()), resource: text(), divisor: optional(Amount) },
  closed,
)
export type ResourceReference = Static<typeof ResourceReference>
