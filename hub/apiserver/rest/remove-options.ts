import type { Json, JsonObject } from '../../../schemas/index.ts'
import { isApiObject, isJsonObject, objectAt, textAt } from '../../kube/object/index.ts'
import { decodeProtobuf, ProtobufError } from '../../kube/protobuf/index.ts'
import type { ResourceDefinition, StructuralSchema } from '../../kube/resource.ts'
import { decodingError, jsonError } from '../../kube/schema/index.ts'
import { badRequest, invalid, type StatusCause } from '../../kube/status.ts'
import { resourceOf } from '../../serving/objects/registry.ts'
import { type Body, decodeJson } from '../../serving/requests/body.ts'
import { dryRunCauses } from '../../serving/requests/options.ts'

export type Propagation = 'Background' | 'Foreground' | 'Orphan'

/** metav1.DeleteOptions, as far as they count here. */
export interface RemoveOptions {
  /** Absent: as the finalizers of the object say, else `otherwise`. */
  readonly propagation?: Propagation
  /** Of objects that say nothing themselves; default `Background`. */
  readonly otherwise?: Propagation
  readonly uid: string
  readonly resourceVersion: string
  /** Of pods: time that their node has to end them; 0 lets them go at once. Default: what the pod says. */
  readonly gracePeriodSeconds?: number
  readonly dryRun: boolean
}

/** The options of a DELETE as JSON: those of its body, or where it has none those of its query. Throws a Status. */
export function removeBody(body: Body, query: URLSearchParams): JsonObject {
  if (body.bytes.length === 0) return inQuery(query)
  const value = body.type.includes('protobuf') ? binary(body) : json(body)
  if (!isJsonObject(value)) throw badRequest('the body of a DELETE must be DeleteOptions')
  checkDecodes(value)
  return value
}

/** `definition`: of jobs the pods stay where nobody says what becomes of them, as in the first version of their API. */
export function removeOptions(body: JsonObject, definition?: ResourceDefinition): RemoveOptions {
  const preconditions = objectAt(body, 'preconditions')
  const grace = body['gracePeriodSeconds']
  const dryRun = body['dryRun']
  const texts = Array.isArray(dryRun) ? dryRun.map(String) : []
  const causes = [...propagationCauses(body), ...dryRunCauses(texts)]
  if (causes.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', causes)
  const propagation = propagationOf(body)
  return {
    ...(propagation === undefined ? {} : { propagation }),
    otherwise: definition && resourceOf(definition) === 'batch/jobs' ? 'Orphan' : 'Background',
    uid: textAt(preconditions, 'uid'),
    resourceVersion: textAt(preconditions, 'resourceVersion'),
    dryRun: texts.length > 0,
    ...(typeof grace === 'number' && Number.isInteger(grace) && grace >= 0 ? { gracePeriodSeconds: grace } : {}),
  }
}

function propagationOf(body: JsonObject): Propagation | undefined {
  const given = textAt(body, 'propagationPolicy')
  if (given === 'Foreground' || given === 'Orphan' || given === 'Background') return given
  const { orphanDependents: orphans } = body
  if (orphans === undefined || orphans === null) return undefined
  return orphans === true ? 'Orphan' : 'Background'
}

function propagationCauses(body: JsonObject): readonly StatusCause[] {
  const { propagationPolicy: given, orphanDependents: orphans } = body
  if (typeof given !== 'string') return []
  const field = 'propagationPolicy'
  if (orphans !== undefined && orphans !== null) {
    const message = `Invalid value: ${JSON.stringify(given)}: orphanDependents and deletionPropagation cannot be both set`
    return [{ reason: 'FieldValueInvalid', message, field }]
  }
  if (given === 'Foreground' || given === 'Orphan' || given === 'Background') return []
  const message = `Unsupported value: ${JSON.stringify(given)}: supported values: "Foreground", "Background", "Orphan", "nil"`
  return [{ reason: 'FieldValueNotSupported', message, field }]
}

function inQuery(query: URLSearchParams): JsonObject {
  const propagation = query.get('propagationPolicy') ?? ''
  const orphans = query.get('orphanDependents') ?? ''
  const grace = query.get('gracePeriodSeconds') ?? ''
  if (grace !== '' && !/^[+-]?\d{1,15}$/.test(grace)) {
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(grace)}: invalid syntax`)
  }
  return {
    ...(propagation === '' ? {} : { propagationPolicy: propagation }),
    ...(orphans === '' ? {} : { orphanDependents: orphans !== '0' && orphans.toLowerCase() !== 'false' }),
    ...(grace === '' ? {} : { gracePeriodSeconds: Number(grace) }),
    dryRun: query.getAll('dryRun').filter((value) => value !== ''),
  }
}

const text: StructuralSchema = { type: 'string' }
const SCHEMA: StructuralSchema = {
  type: 'object',
  'x-skerry-type': 'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions',
  properties: {
    gracePeriodSeconds: { type: 'integer', format: 'int64' },
    orphanDependents: { type: 'boolean' },
    propagationPolicy: text,
    dryRun: { type: 'array', items: text },
    preconditions: {
      type: 'object',
      'x-skerry-type': 'io.k8s.apimachinery.pkg.apis.meta.v1.Preconditions',
      properties: { uid: text, resourceVersion: text },
    },
  },
}

function checkDecodes(value: JsonObject): void {
  const { kind = 'DeleteOptions', apiVersion = 'v1' } = value
  if (kind !== 'DeleteOptions') {
    const registered = 'pkg/apis/meta/internalversion/scheme/register.go:27'
    throw badRequest(
      `no kind "${String(kind)}" is registered for version "${String(apiVersion)}" in scheme "${registered}"`,
    )
  }
  const object = { ...value, kind, apiVersion, metadata: {} }
  if (!isApiObject(object)) throw badRequest('the body of a DELETE must be DeleteOptions')
  const wrong = decodingError({ schema: SCHEMA, custom: false, kind: 'DeleteOptions', version: 'v1' }, object)
  if (wrong !== undefined) throw badRequest(wrong.replace(/^.*?: (?=json: )/, ''))
}

function json(body: Body): Json {
  const wrong = body.type.includes('yaml') ? undefined : jsonError(body.bytes.toString('utf8'))
  if (wrong !== undefined) throw badRequest(`couldn't get version/kind; json parse error: ${wrong}`)
  return decodeJson(body)
}

function binary(body: Body): JsonObject {
  try {
    return decodeProtobuf(body.bytes)
  } catch (error) {
    if (error instanceof ProtobufError) throw badRequest(error.message)
    throw error
  }
}
