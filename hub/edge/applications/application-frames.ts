import { createHash } from 'node:crypto'
import { UnavailableError } from '../../../platform/lifecycle/index.ts'
import {
  APPLICATION_GROUP,
  APPLICATION_REQUEST,
  APPLICATION_SOURCE,
  type Application,
  type ApplicationExtra,
  applicationKey,
  type FrameRoute,
  type Json,
  parseApplication,
  ZERO_TIME,
} from '../../../schemas/index.ts'
import { isObject } from '../json.ts'
import type { ApplicationAnswer, ApplicationRequest, PathRequest, WatchRequest } from './applications.ts'

export const APPLICATION_ROUTE: FrameRoute = {
  source: APPLICATION_SOURCE,
  group: APPLICATION_GROUP,
  operation: APPLICATION_REQUEST,
  resource: APPLICATION_REQUEST,
}

interface Parts {
  readonly Key: string
  readonly Verb: string
  readonly option: Json
  readonly body?: Json
  readonly Subresource?: string
}

/** A request as KubeEdge's MetaServer sends it; `isSkerry`: the cloud understands more, and may know who asks. */
export function requestApplication(request: ApplicationRequest, node: string, isSkerry: boolean): Application {
  const { verb, at, subresource = '', options = {}, body, token, table = false } = request
  const Key = applicationKey(at)
  const parts = (): Parts => {
    switch (verb) {
      case 'patch':
        return { Key, Verb: verb, option: patchInfo(request), Subresource: subresource }
      case 'delete':
        return { Key, Verb: verb, option: { ...options, ...(isObject(body) ? body : {}) } }
      case 'update': {
        const Verb = subresource === 'status' ? 'updatestatus' : verb
        return { Key, Verb, option: options, ...(body === undefined ? {} : { body }), Subresource: subresource }
      }
      default:
        return { Key, Verb: verb, option: options, ...(body === undefined ? {} : { body }), Subresource: subresource }
    }
  }
  return made(parts(), node, { ...extraOf(isSkerry, token), ...(isSkerry && table ? { table } : {}) })
}

export function pathApplication(request: PathRequest, node: string, isSkerry: boolean): Application {
  const { path, token, aggregated = false, knownTag } = request
  const more = { ...(aggregated ? { aggregated } : {}), ...(knownTag === undefined ? {} : { tag: knownTag }) }
  return made({ Key: path, Verb: 'get', option: {} }, node, { ...extraOf(isSkerry, token), ...(isSkerry ? more : {}) })
}

/** `watch`: names its events towards a Skerry cloud. */
export function watchApplication(
  { at, options = {}, token }: WatchRequest,
  node: string,
  watch: string | undefined,
): Application {
  const extra = watch === undefined ? undefined : { ...extraOf(true, token), watch }
  return made({ Key: applicationKey(at), Verb: 'watch', option: options }, node, extra)
}

/** Content of a frame; an Application has only JSON in it. */
export function contentOfApplication(application: Application): Json {
  return JSON.parse(JSON.stringify(application))
}

/**
 * What the cloud made of a request. Throws HUB_APPLICATION_FAILED where the API was not asked, or where the answer is none.
 */
export function answerOfApplication(content: Json, verb: string): ApplicationAnswer {
  const application = parseApplication(content)
  if (!application) throw failed('the answer is no Application')
  const { Status, Reason, RespBody, Error: error, skerry } = application
  if (Status === 'Approved') {
    const code = skerry?.code ?? (verb === 'create' ? 201 : 200)
    const shared = { code, ...(skerry?.tag === undefined ? {} : { tag: skerry.tag }) }
    if (RespBody === null || RespBody === '') return shared
    const text = Buffer.from(RespBody, 'base64').toString('utf8')
    const object = parsed(text)
    return isObject(object) ? { ...shared, object } : { ...shared, text }
  }
  const status = error['ErrStatus']
  if (isObject(status) && Object.keys(status).length > 0) {
    const code = Number(status['code'])
    return { code: Number.isInteger(code) && code >= 400 && code < 600 ? code : 500, object: status }
  }
  throw failed(Reason === '' ? `the cloud answered ${Status || 'nothing'}` : Reason.slice(0, 500))
}

/** KubeEdge's PatchInfo, with the names that Go gives it. */
function patchInfo({ at, subresource, options = {}, body = null, patchType }: ApplicationRequest): Json {
  return {
    Name: at.name ?? '',
    PatchType: patchType ?? 'application/merge-patch+json',
    Data: bytesOf(body),
    Options: options,
    Subresources: subresource === undefined || subresource === '' ? null : [subresource],
  }
}

function made(
  { Key, Verb, option, body, Subresource = '' }: Parts,
  node: string,
  extra?: ApplicationExtra,
): Application {
  const [optionText, bodyText] = [JSON.stringify(option), body === undefined ? '' : JSON.stringify(body)]
  const text = `${node}${Key}${Verb}${optionText}${bodyText}${Subresource}`
  return {
    ID: createHash('sha256').update(text).digest('hex'),
    ...{ Key, Verb, Nodename: node, Subresource },
    Option: Buffer.from(optionText).toString('base64'),
    ReqBody: body === undefined ? null : Buffer.from(bodyText).toString('base64'),
    RespBody: null,
    Status: 'InApplying',
    Reason: '',
    Error: {},
    Timestamp: ZERO_TIME,
    ...(extra && Object.keys(extra).length > 0 ? { skerry: extra } : {}),
  }
}

function extraOf(isSkerry: boolean, token: string | undefined): ApplicationExtra {
  return isSkerry && token !== undefined ? { token } : {}
}

function bytesOf(value: Json): string {
  return Buffer.from(JSON.stringify(value)).toString('base64')
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function failed(reason: string): UnavailableError {
  return new UnavailableError('The cloud could not ask the Kubernetes API', {
    code: 'HUB_APPLICATION_FAILED',
    fields: { reason },
  })
}
