import protobuf from 'protobufjs/light.js'
import type { Json, JsonObject } from '../../../schemas/index.ts'
import { isJsonArray, isJsonObject } from '../schema/index.ts'

/**
 * OpenAPI 2.0 in the protobuf form of gnostic (`openapi.v2.Document`), which kubectl asks for. Fields of each message that is an object
 * in JSON as well: `name:number:type`, `*` before the type for a list; `x-` is where all members go whose names begin so.
 */
const MESSAGES: Readonly<Record<string, string>> = {
  Document:
    'swagger:1:string info:2:Info paths:8:Paths definitions:9:Schemas security:12:*SecurityRequirement ' +
    'securityDefinitions:13:SecurityDefinitions x-:16:*Extension',
  Info: 'title:1:string version:2:string description:3:string',
  PathItem:
    'get:2:Operation put:3:Operation post:4:Operation delete:5:Operation options:6:Operation head:7:Operation ' +
    'patch:8:Operation parameters:9:*Parameter x-:10:*Extension',
  Operation:
    'tags:1:*string summary:2:string description:3:string operationId:5:string produces:6:*string consumes:7:*string ' +
    'parameters:8:*Parameter responses:9:Responses schemes:10:*string deprecated:11:bool x-:13:*Extension',
  BodyParameter: 'description:1:string name:2:string in:3:string required:4:bool schema:5:Schema',
  QueryParameter:
    'required:1:bool in:2:string description:3:string name:4:string type:6:string format:7:string uniqueItems:20:bool',
  PathParameter:
    'required:1:bool in:2:string description:3:string name:4:string type:5:string format:6:string uniqueItems:19:bool',
  Response: 'description:1:string schema:2:ResponseSchema',
  ApiKey: 'type:1:string name:2:string in:3:string description:4:string',
  Schema:
    '$ref:1:string format:2:string title:3:string description:4:string multipleOf:6:double maximum:7:double ' +
    'exclusiveMaximum:8:bool minimum:9:double exclusiveMinimum:10:bool maxLength:11:int64 minLength:12:int64 pattern:13:string ' +
    'maxItems:14:int64 minItems:15:int64 uniqueItems:16:bool maxProperties:17:int64 minProperties:18:int64 required:19:*string ' +
    'enum:20:*Any additionalProperties:21:SchemaOrBoolean type:22:Type items:23:Items properties:25:Schemas x-:31:*Extension',
}

/** Messages that are objects of any names in JSON: the number of their entries, and the type of the values. */
const MAPS: Readonly<Record<string, readonly [number, string]>> = {
  Paths: [2, 'PathItem'],
  Schemas: [1, 'Schema'],
  Responses: [1, 'ResponseValue'],
  SecurityDefinitions: [1, 'SecurityScheme'],
  SecurityRequirement: [1, 'Texts'],
}

/** Messages around another, which JSON does not show. */
const AROUND: Readonly<Record<string, readonly [number, string]>> = {
  ResponseValue: [1, 'Response'],
  ResponseSchema: [1, 'Schema'],
  SecurityScheme: [2, 'ApiKey'],
  Texts: [1, '*string'],
  Type: [1, 'string'],
  Items: [1, 'Schema'],
}

interface Field {
  readonly id: number
  readonly type: string
}

const DELIMITED = 2
const SIZE_64 = 1
const VARINT = 0

export function openApi2Protobuf(document: JsonObject): Uint8Array {
  const writer = protobuf.Writer.create()
  writeMessage(writer, 'Document', document)
  return writer.finish()
}

function writeMessage(writer: protobuf.Writer, message: string, value: Json): void {
  const map = MAPS[message]
  const around = AROUND[message]
  if (around) writeField(writer, { id: around[0], type: around[1] }, value)
  else if (message === 'Any') writer.uint32(tag(2, DELIMITED)).string(`${JSON.stringify(value)}\n`)
  else if (message === 'SchemaOrBoolean') {
    writeField(writer, typeof value === 'boolean' ? { id: 2, type: 'bool' } : { id: 1, type: 'Schema' }, value)
  } else if (!isJsonObject(value)) return
  else if (message === 'Parameter') writeField(writer, { id: 1, type: 'DeclaredParameter' }, value)
  else if (message === 'DeclaredParameter') {
    const isBody = value['in'] === 'body'
    writeField(writer, isBody ? { id: 1, type: 'BodyParameter' } : { id: 2, type: 'PlacedParameter' }, value)
  } else if (message === 'PlacedParameter') {
    const isPath = value['in'] === 'path'
    writeField(writer, isPath ? { id: 4, type: 'PathParameter' } : { id: 3, type: 'QueryParameter' }, value)
  } else if (map)
    for (const [name, each] of Object.entries(value)) writeNamed(writer, { id: map[0], type: map[1] }, name, each)
  else writeFields(writer, message, value)
}

function writeFields(writer: protobuf.Writer, message: string, value: JsonObject): void {
  const fields = fieldsOf(message)
  const others = fields.get('x-')
  for (const [name, each] of Object.entries(value)) {
    const field = fields.get(name)
    if (field) writeField(writer, field, each)
    else if (others && name.startsWith('x-')) writeNamed(writer, { id: others.id, type: 'Any' }, name, each)
  }
}

function writeField(writer: protobuf.Writer, { id, type }: Field, value: Json): void {
  if (type.startsWith('*')) {
    for (const each of isJsonArray(value) ? value : []) writeField(writer, { id, type: type.slice(1) }, each)
  } else if (type === 'string') writer.uint32(tag(id, DELIMITED)).string(String(value))
  else if (type === 'bool') writer.uint32(tag(id, VARINT)).bool(value === true)
  else if (type === 'int64') writer.uint32(tag(id, VARINT)).int64(Number(value))
  else if (type === 'double') writer.uint32(tag(id, SIZE_64)).double(Number(value))
  else {
    writer.uint32(tag(id, DELIMITED)).fork()
    writeMessage(writer, type, value)
    writer.ldelim()
  }
}

/** An entry of a map: its name, then its value. */
function writeNamed(writer: protobuf.Writer, { id, type }: Field, name: string, value: Json): void {
  writer.uint32(tag(id, DELIMITED)).fork()
  writeField(writer, { id: 1, type: 'string' }, name)
  writeField(writer, { id: 2, type }, value)
  writer.ldelim()
}

function tag(id: number, wire: number): number {
  return id * 8 + wire
}

const known = new Map<string, ReadonlyMap<string, Field>>()

function fieldsOf(message: string): ReadonlyMap<string, Field> {
  let fields = known.get(message)
  if (!fields) {
    const entries = (MESSAGES[message] ?? '').split(' ').map((each) => {
      const [name = '', id = '0', type = ''] = each.split(':')
      return [name, { id: Number(id), type }] as const
    })
    fields = new Map(entries)
    known.set(message, fields)
  }
  return fields
}
