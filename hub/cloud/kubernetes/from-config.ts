import type { Metrics } from '../../../platform/health/index.ts'
import { RefusedError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import type { Clock } from '../../../platform/time/index.ts'
import type { KubeObject } from '../../../schemas/index.ts'
import type { KubernetesCallers } from './callers.ts'
import { followSkew } from './clock-skew.ts'
import { errorOfStatus, isExpired, reasonOfError, strangeAnswer } from './errors.ts'
import { isJsonObject, isKubeObject, isRecord } from './guards.ts'
import { type ApiClient, openApiClient } from './http-client.ts'
import type { KubeconfigSource } from './kubeconfig.ts'
import {
  apiVersionOf,
  type Kubernetes,
  type ListOptions,
  type ObjectKey,
  type PatchOptions,
  type ResourceType,
  type WatchEvent,
} from './kubernetes.ts'
import { type LocalServer, localApiClient } from './local-client.ts'

const PATCH_TYPES: Readonly<Record<PatchOptions['type'], string>> = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  strategic: 'application/strategic-merge-patch+json',
}
const PAGE = '500'
const WATCH_SECONDS = '300'

/** A Kubernetes API reached with a kubeconfig. The caller disposes it. Throws ConfigError when the kubeconfig is unusable. */
export async function kubernetesFromConfig(
  source: KubeconfigSource,
  ports: { readonly clock: Clock; readonly log: Logger; readonly metrics?: Metrics },
): Promise<Kubernetes & KubernetesCallers & Disposable> {
  const client = await openApiClient(source, { ...ports, onDate: followSkew(ports) })
  return {
    ...kubernetesOver(client, ports.log),
    ...callersOver(client),
    [Symbol.dispose]: () => client[Symbol.dispose](),
  }
}

/** A Kubernetes API in this process. */
export function kubernetesInside(
  server: LocalServer,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): Kubernetes & KubernetesCallers {
  const client = localApiClient(server, clock)
  return { ...kubernetesOver(client, log), ...callersOver(client) }
}

function callersOver(client: ApiClient): KubernetesCallers {
  return {
    send: (request, caller, signal) => client.answer(request, caller, signal),
    events: (path, caller, signal) => client.events(path, signal, caller),
  }
}

function kubernetesOver(client: ApiClient, log: Logger): Kubernetes {
  return {
    async get(type, at, signal) {
      try {
        return admit(type, await client.call({ method: 'GET', path: pathOf(type, at.namespace, at.name) }, signal))
      } catch (error) {
        if (reasonOfError(error) === 'NotFound') return undefined
        throw error
      }
    },
    list: (type, options, signal) => listAll(client, log, type, options, signal),
    create: async (type, namespace, object, signal) =>
      admit(
        type,
        await client.call({ method: 'POST', path: pathOf(type, namespace), body: typed(type, object) }, signal),
      ),
    async createBelow(type, at, subresource, body, signal) {
      const path = subPath(type, at, { subresource })
      const answer = await client.call({ method: 'POST', path, body }, signal)
      if (isJsonObject(answer)) return answer
      throw malformed({ kind: type.kind, name: at.name, subresource })
    },
    async review(type, spec, signal) {
      const body = typed(type, { metadata: {}, spec })
      const answer = await client.call({ method: 'POST', path: pathOf(type, undefined), body }, signal)
      const status = isJsonObject(answer) ? answer['status'] : undefined
      if (isJsonObject(status)) return status
      throw malformed({ kind: type.kind })
    },
    replace: async (type, at, object, options, signal) =>
      admit(
        type,
        await client.call({ method: 'PUT', path: subPath(type, at, options), body: typed(type, object) }, signal),
      ),
    patch: async (type, at, body, options, signal) => {
      const contentType = PATCH_TYPES[options.type]
      return admit(
        type,
        await client.call({ method: 'PATCH', path: subPath(type, at, options), body, contentType }, signal),
      )
    },
    async delete(type, at, options, signal) {
      const body = {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        ...(options?.uid ? { preconditions: { uid: options.uid } } : {}),
        ...(options?.gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds: options.gracePeriodSeconds }),
      }
      try {
        await client.call({ method: 'DELETE', path: pathOf(type, at.namespace, at.name), body }, signal)
      } catch (error) {
        if (reasonOfError(error) !== 'NotFound') throw error
      }
    },
    watch: (type, options, signal) => watchEvents(client, log, type, options, signal),
  }
}

async function listAll<T extends KubeObject>(
  client: ApiClient,
  log: Logger,
  type: ResourceType<T>,
  options: ListOptions,
  signal: AbortSignal | undefined,
) {
  let items: T[] = []
  let token = ''
  let isWhole = false
  for (;;) {
    const query = queryOf(options, {
      ...(isWhole ? {} : { limit: PAGE }),
      ...(token === '' ? {} : { continue: token }),
    })
    const path = `${pathOf(type, options.namespace)}${query === '' ? '' : `?${query}`}`
    let page: unknown
    try {
      page = await client.call({ method: 'GET', path }, signal)
    } catch (error) {
      // The list took longer than the API remembers. In one piece it cannot.
      if (token === '' || !isExpired(error)) throw error
      ;[items, token, isWhole] = [[], '', true]
      continue
    }
    const { metadata, found } = pageOf(page, path)
    for (const item of found) {
      const object = tryAdmit(type, item)
      if (object) items.push(object)
      else log.warn('ignored an object that is not what its kind says', { kind: type.kind, name: nameOf(item) })
    }
    const next = typeof metadata['continue'] === 'string' ? metadata['continue'] : ''
    if (next !== '' && next === token) throw strangeAnswer({ method: 'GET', path })
    token = next
    if (token === '') return { items, resourceVersion: String(metadata['resourceVersion'] ?? '') }
  }
}

/** Throws for what is no list: taken for an empty one, it would delete everything at the edges. */
function pageOf(page: unknown, path: string) {
  const { metadata, items } = isRecord(page) ? page : {}
  const found = items ?? []
  if (!isRecord(metadata) || typeof metadata['resourceVersion'] !== 'string' || !Array.isArray(found)) {
    throw strangeAnswer({ method: 'GET', path })
  }
  return { metadata, found }
}

async function* watchEvents<T extends KubeObject>(
  client: ApiClient,
  log: Logger,
  type: ResourceType<T>,
  options: ListOptions & { readonly resourceVersion: string },
  signal: AbortSignal,
): AsyncGenerator<WatchEvent<T>> {
  const query = queryOf(options, {
    watch: 'true',
    allowWatchBookmarks: 'true',
    resourceVersion: options.resourceVersion,
    timeoutSeconds: WATCH_SECONDS,
  })
  const path = `${pathOf(type, options.namespace)}?${query}`
  for await (const event of client.events(path, signal)) {
    if (event === undefined) {
      yield { type: 'BOOKMARK', resourceVersion: options.resourceVersion }
      continue
    }
    if (!isRecord(event)) throw strangeAnswer({ method: 'GET', path })
    const object = event['object']
    switch (event['type']) {
      case 'ERROR':
        throw errorOfStatus(isRecord(object) ? Number(object['code'] ?? 500) : 500, object, { path })
      case 'BOOKMARK':
        if (isRecord(object) && isRecord(object['metadata'])) {
          yield { type: 'BOOKMARK', resourceVersion: String(object['metadata']['resourceVersion'] ?? '') }
        }
        break
      case 'ADDED':
      case 'MODIFIED':
      case 'DELETED': {
        const admitted = tryAdmit(type, object)
        if (admitted) yield { type: event['type'], object: admitted }
        else log.warn('ignored an object that is not what its kind says', { kind: type.kind, name: nameOf(object) })
        break
      }
      default:
        if (typeof event['type'] !== 'string') throw strangeAnswer({ method: 'GET', path })
        log.debug('ignored an unknown watch event', { kind: type.kind })
    }
  }
}

function admit<T extends KubeObject>(type: ResourceType<T>, value: unknown): T {
  const object = tryAdmit(type, value)
  if (object) return object
  throw malformed({ kind: type.kind, name: nameOf(value) })
}

function malformed(fields: object): RefusedError {
  return new RefusedError('Kubernetes answered something else than asked for', {
    code: 'HUB_KUBERNETES_MALFORMED',
    fields: { ...fields, reason: 'Malformed' },
  })
}

/** Items of a list lack apiVersion and kind. */
function tryAdmit<T extends KubeObject>(type: ResourceType<T>, value: unknown): T | undefined {
  if (!isKubeObject(value)) return undefined
  const whole: KubeObject = { ...value, apiVersion: apiVersionOf(type), kind: type.kind }
  return type.accepts(whole) ? whole : undefined
}

function nameOf(value: unknown): string {
  return isKubeObject(value) ? `${value.metadata.namespace ?? ''}/${value.metadata.name}` : ''
}

function pathOf(type: ResourceType, namespace: string | undefined, name?: string): string {
  const root = type.group === '' ? `/api/${type.version}` : `/apis/${type.group}/${type.version}`
  const scope = type.namespaced && namespace !== undefined ? `/namespaces/${segment(namespace)}` : ''
  return `${root}${scope}/${type.plural}${name === undefined ? '' : `/${segment(name)}`}`
}

/** Names come from nodes, too. No API has an object of these, and as a part of a path they would mean another one. */
function segment(name: string): string {
  if (name !== '' && name !== '.' && name !== '..') return encodeURIComponent(name)
  throw new RefusedError('No object has such a name', {
    code: 'HUB_KUBERNETES_NAME',
    fields: { name, reason: 'BadRequest', status: 400 },
  })
}

function subPath(type: ResourceType, at: ObjectKey, options: { readonly subresource?: string } | undefined): string {
  const path = pathOf(type, at.namespace, at.name)
  return options?.subresource ? `${path}/${options.subresource}` : path
}

function queryOf(options: ListOptions, more: Readonly<Record<string, string>>): string {
  const query = new URLSearchParams(more)
  if (options.labelSelector) query.set('labelSelector', options.labelSelector)
  if (options.fieldSelector) query.set('fieldSelector', options.fieldSelector)
  return query.toString()
}

/** An API server reads custom resources by the kind in the body, whatever the path says. */
function typed(type: ResourceType, object: object): object {
  return { apiVersion: apiVersionOf(type), kind: type.kind, ...object }
}
