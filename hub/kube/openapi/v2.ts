import type { Json, JsonObject } from '../../../schemas/index.ts'
import { isJsonArray, isJsonObject } from '../schema/index.ts'
import { componentsOf } from './components.ts'
import type { Documentation } from './documentation.ts'
import { type DescribedVersion, rootOf } from './openapi.ts'
import { pathsOf } from './paths.ts'
import { REF } from './structures.ts'

const REF_V2 = '#/definitions/'
const METHODS: ReadonlySet<string> = new Set(['get', 'put', 'post', 'patch', 'delete'])
/** Structures that OpenAPI 2.0 has to call otherwise. */
const PLAIN_TEXT: Readonly<Record<string, JsonObject>> = {
  'io.k8s.apimachinery.pkg.api.resource.Quantity': { type: 'string' },
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': { type: 'string', format: 'int-or-string' },
}

/** `GET /openapi/v2`: all kinds in one document. */
export function openApi2Document(versions: readonly DescribedVersion[], documentation: Documentation): JsonObject {
  const all = versions.flatMap(({ definitions }) => definitions)
  const schemas = componentsOf(all, { documentation, dialect: 'v2' })
  const paths = versions.flatMap(({ group, version, definitions }) =>
    definitions.flatMap((each) => Object.entries(pathsOf(each, rootOf(group, version)))),
  )
  return {
    swagger: '2.0',
    info: { title: 'Kubernetes', version: 'unversioned' },
    paths: Object.fromEntries(paths.map(([path, item]) => [path, pathItem(item)])),
    definitions: Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, definition(name, schema)])),
    security: [{ BearerToken: [] }],
    securityDefinitions: { BearerToken: { type: 'apiKey', name: 'authorization', in: 'header' } },
  }
}

function definition(name: string, schema: Json): Json {
  const plain = PLAIN_TEXT[name]
  if (!plain || !isJsonObject(schema)) return schemaOf(schema)
  const { description } = schema
  return { ...(description === undefined ? {} : { description }), ...plain }
}

/** A schema without defaults, in which a reference stands beside what is said of it. */
function schemaOf(value: Json): Json {
  if (!isJsonObject(value)) return value
  const result: Record<string, Json> = {}
  for (const [key, each] of Object.entries(value)) {
    if (key === 'default') continue
    if (key === '$ref') result['$ref'] = String(each).replace(REF, REF_V2)
    else if (key === 'allOf' && isJsonArray(each)) Object.assign(result, schemaOf(each[0] ?? {}))
    else if (key === 'properties' && isJsonObject(each)) result[key] = mapped(each, schemaOf)
    else if (key === 'items' || key === 'additionalProperties') result[key] = schemaOf(each)
    else result[key] = each
  }
  return result
}

function pathItem(item: Json): JsonObject {
  return isJsonObject(item)
    ? mapped(item, (each, key) => (METHODS.has(key) ? operation(each) : key === 'parameters' ? parameters(each) : each))
    : {}
}

function operation(value: Json): Json {
  if (!isJsonObject(value)) return value
  const { requestBody, parameters: declared = [], responses = {}, ...rest } = value
  const content = isJsonObject(requestBody) ? requestBody['content'] : undefined
  const own = parameters(declared)
  const body = isJsonObject(requestBody) ? [bodyParameter(requestBody)] : []
  return {
    ...rest,
    consumes: isJsonObject(content) ? Object.keys(content) : ['*/*'],
    produces: ['application/json', 'application/yaml'],
    schemes: ['https'],
    parameters: [...body, ...(isJsonArray(own) ? own : [])],
    responses: isJsonObject(responses) ? mapped(responses, response) : {},
  }
}

function bodyParameter(requestBody: JsonObject): JsonObject {
  const { content, required } = requestBody
  return {
    name: 'body',
    in: 'body',
    ...(required === undefined ? {} : { required }),
    schema: schemaOf(firstSchema(content)),
  }
}

function response(value: Json): Json {
  if (!isJsonObject(value)) return value
  const { content, ...rest } = value
  return content === undefined ? rest : { ...rest, schema: schemaOf(firstSchema(content)) }
}

/** All media types of a body are of one schema. */
function firstSchema(content: Json | undefined): Json {
  const [first] = isJsonObject(content) ? Object.values(content) : []
  return (isJsonObject(first) ? first['schema'] : undefined) ?? {}
}

function parameters(value: Json): Json {
  if (!isJsonArray(value)) return value
  return value.map((each) => {
    if (!isJsonObject(each)) return each
    const { schema, ...rest } = each
    return isJsonObject(schema) ? { ...rest, ...schema } : rest
  })
}

function mapped(object: JsonObject, change: (value: Json, key: string) => Json): JsonObject {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value, key)]))
}
