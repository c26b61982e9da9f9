import type { Json, JsonObject } from '../device/index.ts'

/** HTTP headers as Go writes them: each name with all its values. */
export type HeaderLists = Readonly<Record<string, readonly string[]>>

/** ms that are left for a call through the tunnel, on the request. */
export const SERVICE_DEADLINE_HEADER = 'x-skerry-deadline-ms'
/** Code of an error of ServiceBus or of the Router itself, on an answer: no service and no target has said it. */
export const SERVICE_ERROR_HEADER = 'x-skerry-error'

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/

/** A call of a local service by the cloud, in one frame of KubeEdge's form. Its path is in the resource of the frame. */
export interface ServiceRequest {
  readonly method: string
  readonly headers: HeaderLists
  /** Base64. */
  readonly body: string
  /** Between Skerry peers: ms that are left. */
  readonly deadlineMs?: number
}

/** What the service answered, or the target in the cloud. */
export interface ServiceAnswer {
  readonly status: number
  readonly headers: HeaderLists
  /** Base64. */
  readonly body: string
}

/** A call of the cloud by a local application, between Skerry peers. */
export interface CloudCall {
  /** metadata.uid of the Rule, where the edge knows it. */
  readonly uid?: string
  readonly method: string
  readonly headers: HeaderLists
  /** Base64. */
  readonly body: string
  /** Somebody waits for the answer of the target. Otherwise the receipt of the cloud is enough. */
  readonly wait: boolean
  readonly deadlineMs?: number
}

export function serviceRequestContent({ method, headers, body, deadlineMs }: ServiceRequest): Json {
  const skerry: JsonObject = deadlineMs === undefined ? {} : { skerry: { deadlineMs } }
  return { header: listsOf(headers), body: body === '' ? null : body, method, url: '', ...skerry }
}

/** Undefined for what is none. Go leaves what is empty as null. */
export function parseServiceRequest(content: Json): ServiceRequest | undefined {
  const object = objectOf(content)
  const headers = parseLists(object?.['header'])
  const body = parseBytes(object?.['body'])
  const method = object?.['method']
  if (!headers || body === undefined || typeof method !== 'string') return undefined
  const deadlineMs = parseDeadline(objectOf(object?.['skerry'])?.['deadlineMs'])
  return { method, headers, body, ...(deadlineMs === undefined ? {} : { deadlineMs }) }
}

export function serviceAnswerContent({ status, headers, body }: ServiceAnswer): Json {
  return { header: listsOf(headers), status_code: status, body: body === '' ? null : body }
}

/** Undefined for what is none. */
export function parseServiceAnswer(content: Json): ServiceAnswer | undefined {
  const object = objectOf(content)
  return answerOf(object?.['status_code'], object?.['header'], object?.['body'])
}

export function cloudCallContent({ uid, method, headers, body, wait, deadlineMs }: CloudCall): Json {
  const known: JsonObject = uid === undefined ? {} : { uid }
  const left: JsonObject = deadlineMs === undefined ? {} : { deadlineMs }
  return { skerry: { ...known, method, headers: listsOf(headers), body, wait, ...left } }
}

/** Undefined for what is none. */
export function parseCloudCall(content: Json): CloudCall | undefined {
  const object = objectOf(objectOf(content)?.['skerry'])
  const { uid, method, wait } = object ?? {}
  const headers = parseLists(object?.['headers'])
  const body = parseBytes(object?.['body'])
  if (typeof method !== 'string' || typeof wait !== 'boolean' || !headers || body === undefined) return undefined
  const deadlineMs = parseDeadline(object?.['deadlineMs'])
  const known = typeof uid === 'string' && uid !== '' ? { uid } : {}
  return { ...known, method, headers, body, wait, ...(deadlineMs === undefined ? {} : { deadlineMs }) }
}

/** What the target answered, or an error of the Router with `SERVICE_ERROR_HEADER`. */
export function cloudAnswerContent({ status, headers, body }: ServiceAnswer): Json {
  return { skerry: { status, headers: listsOf(headers), body } }
}

/** Undefined for what is none, as the receipt `OK`. */
export function parseCloudAnswer(content: Json): ServiceAnswer | undefined {
  const object = objectOf(objectOf(content)?.['skerry'])
  return answerOf(object?.['status'], object?.['headers'], object?.['body'])
}

function answerOf(
  status: Json | undefined,
  header: Json | undefined,
  content: Json | undefined,
): ServiceAnswer | undefined {
  const headers = parseLists(header)
  const body = parseBytes(content)
  if (typeof status !== 'number' || !Number.isInteger(status) || status < 100 || status > 599) return undefined
  return headers && body !== undefined ? { status, headers, body } : undefined
}

function listsOf(headers: HeaderLists): JsonObject {
  return Object.fromEntries(Object.entries(headers).map(([name, values]) => [name, [...values]]))
}

/** Go's []byte: null when empty. */
function parseBytes(value: Json | undefined): string | undefined {
  if (value === null || value === undefined) return ''
  return typeof value === 'string' && value.length % 4 === 0 && BASE64.test(value) ? value : undefined
}

function parseLists(value: Json | undefined): HeaderLists | undefined {
  if (value === null || value === undefined) return {}
  const object = objectOf(value)
  if (!object) return undefined
  const lists: [string, readonly string[]][] = []
  for (const [name, list] of Object.entries(object)) {
    if (!Array.isArray(list)) return undefined
    const values: string[] = []
    for (const each of list) {
      if (typeof each !== 'string') return undefined
      values.push(each)
    }
    lists.push([name, values])
  }
  return Object.fromEntries(lists)
}

function parseDeadline(value: Json | undefined): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : undefined
}

function objectOf(value: Json | undefined): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !isList(value) ? value : undefined
}

function isList(value: JsonObject | readonly Json[]): value is readonly Json[] {
  return Array.isArray(value)
}
